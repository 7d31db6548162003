"""Answers as a hundred and thirty more mail programs write them, as tables: the frame, how they quote, what they add, how HTML is laid
out. `HELD_BACK` are those that nothing was tuned to: they show whether frames are known by their structure.
"""

# ruff: noqa: E501, RUF001 - tables of what mail programs write

import html
from collections.abc import Callable
from dataclasses import dataclass

from tests.answer_styles import OWNER, SUBJECT, Reply, bare, both, marked, plain

A = "ada@winter.example"
D = f"Deskhand <{A}>"
Q = f'"Deskhand" <{A}>'
W = OWNER
S = SUBJECT


@dataclass(frozen=True)
class Program:
    """A program that writes plain text."""

    frame: str
    mark: str = "> "  # "" is no mark at all
    width: int = 0
    footer: str = ""
    inside: bool = False  # the frame bears the mark itself

    def __call__(self, reply: Reply) -> bytes:
        quote = marked(reply, self.width, mark=self.mark, blank=self.mark.rstrip()) if self.mark else bare(reply)
        frame = self.frame
        if self.inside:
            frame = "\n".join(f"{self.mark}{line}".rstrip() for line in frame.split("\n"))
        footer = f"\n\n{self.footer}" if self.footer else ""
        if reply.place == "bottom":
            return plain(f"{frame}\n{quote}\n\n{reply.words}{footer}\n", reply)
        if reply.place == "inline":
            return plain(f"{frame}\n{quote}\n{footer}\n", reply)
        return plain(f"{reply.words}{footer}\n\n{frame}\n{quote}\n", reply)


TEXT: dict[str, Program] = {
    "gmail_address_wrapped": Program(f"On Tue, Nov 24, 2026 at 2:05 PM Deskhand <{A}\n> wrote:\n", width=78),
    "gmail_broken_before_address": Program(f"Am Di., 24. Nov. 2026 um 14:05 Uhr schrieb Deskhand <\n{A}>:\n", width=78),
    "android_old": Program(f"2026/11/24 Deskhand <{A}>\n"),
    "android_old_wrapped": Program(f"2026/11/24 Deskhand <\n{A}>\n", width=78),
    "gmail_da": Program(f"Den tirs. 24. nov. 2026 kl. 14.05 skrev Deskhand <{A}>:\n", width=78),
    "gmail_no": Program(f"tir. 24. nov. 2026 kl. 14:05 skrev Deskhand <{A}>:\n", width=78),
    "gmail_fi": Program(f"ti 24. marrask. 2026 klo 14.05 Deskhand ({A}) kirjoitti:\n", width=78),
    "gmail_hu": Program(f"Deskhand <{A}> ezt írta (időpont: 2026. nov. 24., K, 14:05):\n", width=78),
    "gmail_ro": Program(f"mar., 24 nov. 2026 la 14:05, Deskhand <{A}> a scris:\n", width=78),
    "gmail_tr": Program(f"Deskhand <{A}>, 24 Kas 2026 Sal, 14:05 tarihinde şunu yazdı:\n", width=78),
    "gmail_el": Program(f"Στις Τρί 24 Νοε 2026 στις 2:05 μ.μ., ο χρήστης Deskhand <{A}> έγραψε:\n", width=78),
    "gmail_ar": Program(f"في الثلاثاء، 24 نوفمبر 2026 في 2:05 م تمت كتابة ما يلي بواسطة Deskhand <{A}>:\n", width=78),
    "gmail_he": Program(f"\u202bבתאריך יום ג׳, 24 בנוב׳ 2026 ב-14:05 מאת \u202aDeskhand\u202c\u200f <\u202a{A}\u202c\u200f>:\u202c\n", width=78),
    "gmail_ko": Program(f"2026년 11월 24일 (화) 오후 2:05, Deskhand <{A}>님이 작성:\n", width=78),
    "gmail_vi": Program(f"Vào Th 3, 24 thg 11, 2026 vào lúc 14:05 Deskhand <{A}> đã viết:\n", width=78),
    "gmail_hr": Program(f"uto, 24. stu 2026. u 14:05 Deskhand <{A}> napisao je:\n", width=78),
    "gmail_zh_tw": Program(f"Deskhand <{A}> 於 2026年11月24日 週二 下午2:05寫道：\n", width=78),
    "apple_de_no_date": Program(f"Deskhand <{A}> schrieb:", mark=">"),
    "apple_ru": Program(f"24 нояб. 2026 г., в 14:05, Deskhand <{A}> написал(а):\n", inside=True),
    "ox_mailbox_org": Program(f"Deskhand <{A}> hat am 24.11.2026 14:05 CET geschrieben:\n\n", inside=True),
    "ox_en": Program(f"On 24/11/2026 14:05 CET Deskhand <{A}> wrote:\n\n", inside=True),
    "orange": Program(f"========================================\n\nMessage du : 24/11/2026 14:05\nDe : {Q}\nA : {A}\nCopie à : \nSujet : {S}\n", mark=""),
    "laposte": Program(f"Message du 24/11/26 14:05\nDe : {Q}\nA : {A}\nCopie à : \nObjet : {S}\n", inside=True),
    "free_zimbra": Program(f'----- Mail original -----\nDe: {Q}\nÀ: "Ada Winter" <{A}>\nEnvoyé: Mardi 24 Novembre 2026 14:05:11\nObjet: {S}\n', mark=""),
    "zimbra_8": Program(f"----- Le 24 Nov 26, à 14:05, Deskhand {A} a écrit :\n"),
    "samsung_one_line": Program(f"-------- Original message --------From: {D} Date: 24/11/2026  14:05  (GMT+01:00) To: {W} Subject: {S} ", mark="", footer="Sent from my Galaxy"),
    "samsung_de_one_line": Program(f"-------- Ursprüngliche Nachricht --------Von: {D} Datum: 24.11.26  14:05  (GMT+01:00) An: {W} Betreff: {S} ", mark="", footer="Von meinem/meiner Galaxy gesendet"),
    "outlook_reply_to": Program(f"From: {D}\nSent: Tuesday, November 24, 2026 2:05 PM\nReply-To: {D}\nTo: {W}\nSubject: {S}\n", mark=""),
    "outlook_importance": Program(f"Von: {D} \nGesendet: Dienstag, 24. November 2026 14:05\nAn: {W}\nBetreff: {S}\nWichtigkeit: Hoch\n", mark=""),
    "outlook_mac": Program(f"From: {D}\nDate: Tuesday, November 24, 2026 at 14:05\nTo: {W}\nSubject: {S}\n", mark="", footer="Get Outlook for Mac"),
    "outlook_fr": Program(f"De : {D}\nEnvoyé : mardi 24 novembre 2026 14:05\nÀ : {W}\nObjet : {S}\n", mark=""),
    "interia": Program(f"Od: {Q}\nDo: {A};\nWysłane: 14:05 Wtorek 2026-11-24\nTemat: {S}\n", inside=True),
    "wp": Program(f"Dnia 24 listopada 2026 14:05 Deskhand <{A}> napisał(a):\n", mark=""),
    "onet": Program(f"W dniu 2026-11-24 14:05:11 użytkownik Deskhand <{A}> napisał:"),
    "seznam": Program(f"---------- Původní e-mail ----------\nOd: {D}\nKomu: {A}\nDatum: 24. 11. 2026 14:05:11\nPředmět: {S}\n", mark=""),
    "t_online": Program(f"-----Original-Nachricht-----\nBetreff: {S}\nDatum: 2026-11-24T14:05:11+0100\nVon: {Q}\nAn: {W}\n", mark="", footer="Gesendet mit der Telekom Mail App"),
    "web_de": Program(f"Gesendet: Dienstag, 24. November 2026 um 14:05\nVon: {D}\nAn: {A}\nBetreff: {S}", mark=""),
    "gmx_app": Program(f"Am 24.11.26, 14:05 schrieb Deskhand <{A}>:\n", footer="Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet."),
    "yandex": Program(f"24.11.2026, 14:05, {Q}:"),
    "mail_ru": Program(f"Вторник, 24 ноября 2026, 14:05 +03:00 от Deskhand <{A}>:\n", mark=">"),
    "qq": Program(f'------------------ 原始邮件 ------------------\n发件人: {Q};\n发送时间: 2026年11月24日(星期二) 下午2:05\n收件人: "Ada Winter"<{A}>;\n\n主题: {S}\n\n', mark=""),
    "naver": Program(f"-----Original Message-----\nFrom: {Q}\nTo: {W};\nCc:\nSent: 2026-11-24 (화) 14:05:11 (GMT+09:00)\nSubject: {S}\n", mark=""),
    "tuta": Program(f"24.11.2026, 14:05 von {A}:\n", footer="Sent with Tuta; enjoy secure & ad-free emails:\nhttps://tuta.com"),
    "notes": Program(f"Von:        {Q}\nAn:        {W}\nDatum:        24.11.2026 14:05\nBetreff:        {S}\n________________________________\n\n", mark=""),
    "em_client": Program(f"------ Original Message ------\nFrom {Q}\nTo {W}\nDate 24/11/2026 14:05:11\nSubject {S}\n", mark=""),
    "claws": Program(f"On Tue, 24 Nov 2026 14:05:11 +0100\nDeskhand <{A}> wrote:\n"),
    "gnus": Program(f"Deskhand <{A}> writes:\n"),
    "horde": Program(f"Zitat von Deskhand <{A}>:\n", width=72),
    "alpine": Program("On Tue, 24 Nov 2026, Deskhand wrote:\n"),
    "kmail": Program("Am Dienstag, 24. November 2026, 14:05:11 CET schrieb Deskhand:"),
    "spark": Program(f"On 24 Nov 2026 at 14:05 +0100, Deskhand <{A}>, wrote:", footer="Sent with Spark"),
    "fairemail": Program(f"November 24, 2026 2:05:11 PM Deskhand <{A}>:\n", footer="Sent with FairEmail; sorry for any typos"),
    "bluemail": Program(f"On Nov 24, 2026, at 14:05, Deskhand <{A}> wrote:", mark="", footer="Get BlueMail for Android"),
    "edison": Program(f"On Nov 24, 2026 at 2:05 PM, <Deskhand (mailto:{A})> wrote:\n"),
    "aol": Program(f"-----Original Message-----\nFrom: {D}\nTo: {W}\nSent: Tue, Nov 24, 2026 2:05 pm\nSubject: {S}\n", mark=""),
    "yahoo_de": Program(f"    Am Dienstag, 24. November 2026 um 14:05:11 MEZ hat Deskhand <{A}> Folgendes geschrieben:  \n ", mark=""),
    "comhem": Program(f"----Ursprungligt meddelande----\nFrån : {A}\nDatum : 2026-11-24 - 14:05 (CET)\nTill : {A}\nÄmne : {S}\n", mark=""),
    "libero": Program(f"Il 24/11/2026 14:05 Deskhand <{A}> ha scritto:\n \n", inside=True),
    "proton_old": Program(f"‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Tuesday, November 24, 2026 2:05 PM, Deskhand <{A}> wrote:\n", footer="Sent with ProtonMail Secure Email."),
    # Held back: written after the rules were, from other programs and languages.
    "groupwise": Program(f">>> Deskhand <{A}> 24.11.2026 14:05 >>>\n", mark=""),
    "the_bat": Program("Tuesday, November 24, 2026, 2:05:11 PM, you wrote:\n"),
    "becky": Program(f"On Tue, 24 Nov 2026 14:05:11 +0100\nDeskhand <{A}> wrote:\n", width=76),
    "hey": Program(f"On November 24, 2026, Deskhand <{A}> wrote:\n", mark=""),
    "fastmail": Program("On Tue, Nov 24, 2026, at 2:05 PM, Deskhand wrote:"),
    "front": Program(f"On November 24, 2026 at 2:05 PM GMT+1 {A} wrote:\n", mark=""),
    "superhuman": Program(f"On Tue, Nov 24, 2026 at 2:05 PM, Deskhand < {A} > wrote:\n", footer="Sent via Superhuman"),
    "netease": Program(f"At 2026-11-24 14:05:11, {Q} wrote:\n", mark=">"),
    "netease_table": Program(f"---- 回复的原邮件 ----\n| 发件人 | Deskhand<{A}> |\n| 日期 | 2026年11月24日 14:05 |\n| 收件人 | Ada Winter<{A}> |\n| 主题 | {S} |\n", mark=""),
    "outlook_ja": Program(f"差出人: {D}\n送信日時: 2026年11月24日 14:05\n宛先: {W}\n件名: {S}\n", mark=""),
    "outlook_sk": Program(f"Od: {D}\nOdoslané: utorok 24. novembra 2026 14:05\nKomu: {W}\nPredmet: {S}\n", mark=""),
    "outlook_hu": Program(f"Feladó: {D}\nElküldve: 2026. november 24., kedd 14:05\nCímzett: {W}\nTárgy: {S}\n", mark=""),
    "outlook_bg": Program(f"От: {D}\nИзпратено: вторник, 24 ноември 2026 г. 14:05\nДо: {W}\nТема: {S}\n", mark=""),
    "outlook_he": Program(f"מאת: {D}\nנשלח: יום שלישי 24 נובמבר 2026 14:05\nאל: {W}\nנושא: {S}\n", mark=""),
    "gmail_et": Program(f"Deskhand <{A}> kirjutas kuupäeval T, 24. november 2026 kell 14:05:\n", width=78),
    "gmail_lv": Program(f"otrd., 2026. g. 24. nov., plkst. 14:05 — lietotājs Deskhand (<{A}>) rakstīja:\n", width=78),
    "gmail_lt": Program(f"2026-11-24, an, 14:05 Deskhand <{A}> rašė:\n", width=78),
    "gmail_sl": Program(f"V V tor., 24. nov. 2026 ob 14:05 je oseba Deskhand <{A}> napisala:\n", width=78),
    "gmail_is": Program(f"þri., 24. nóv. 2026 kl. 14:05 skrifaði Deskhand <{A}>:\n", width=78),
    "gmail_ca": Program(f"Missatge de Deskhand <{A}> del dia dt., 24 de nov. 2026 a les 14:05:\n", width=78),
    "gmail_id": Program(f"Pada tanggal Sel, 24 Nov 2026 pukul 14.05 Deskhand <{A}> menulis:\n", width=78),
    "gmail_uk": Program(f"вт, 24 лист. 2026 р. о 14:05 Deskhand <{A}> пише:\n", width=78),
    "gmail_th": Program(f"เมื่อ อ. 24 พ.ย. 2026 เวลา 14:05 Deskhand <{A}> เขียนว่า:\n", width=78),
    "centrum": Program(f"______________________________________________________________\n> Od: {Q}\n> Komu: {A}\n> Datum: 24.11.2026 14:05\n> Předmět: {S}\n>"),
    "mu4e": Program("Deskhand writes:\n"),
    "forum_quote": Program(f"Citando Deskhand <{A}>:\n"),
    "posteo": Program("Am 24.11.2026 14:05 schrieb Deskhand:"),
    "subject_wrapped": Program(f"From: {D}\nSent: Tuesday, November 24, 2026 2:05 PM\nTo: {W}\nSubject: Maria Alvarez: Kick-off\ndate? [Deskhand 41.1]\n", mark=""),
    "evolution_original": Program(f"-----Original Message-----\nFrom: {D}\nReply-To: {A}\nTo: {W}\nSubject: {S}\nDate: Tue, 24 Nov 2026 14:05:11 +0100\n", mark=""),
    "sogo": Program(f"On Tuesday, November 24, 2026 14:05 CET, Deskhand <{A}> wrote: \n", footer="Sent from my SOGo"),
    "held_mailto_br": Program(f"From: Deskhand [mailto:{A}] \nSent: Tuesday, November 24, 2026 2:05 PM\nTo: Ada Winter\nSubject: {S}\n", mark=""),
    "held_es": Program(f"De: Deskhand [mailto:{A}] \nEnviado el: martes, 24 de noviembre de 2026 14:05\nPara: 'Ada Winter'\nAsunto: {S}\n", mark=""),
    "held_owa_city": Program(f"From: {D}\nSent: Tuesday, November 24, 2026 2:05:11 PM (UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\nTo: {W}\nSubject: {S}\n", mark=""),
    "held_gm": Program(f"On Tue, 24 Nov 2026, 14:05 Deskhand, <{A}> wrote:\n"),
    "held_fw": Program(f"Begin forwarded message:\n\nFrom: {D}\nSubject: {S}\nDate: 24 November 2026 at 14:05:11 CET\nTo: {W}\n", mark=""),
    "held_fwq": Program(f"Anfang der weitergeleiteten Nachricht:\n\nVon: {D}\nBetreff: {S}\nDatum: 24. November 2026 um 14:05:11 MEZ\nAn: {W}\n", inside=True),
    "held_lotus": Program(f"{Q} wrote on 24.11.2026 14:05:11:\n"),
    "held_notes_tab": Program(f"{D}\n24.11.2026 14:05\n\nTo\n{W}\ncc\n\nSubject\n{S}\n\n", mark=""),
    "held_cy": Program(f"Ar Maw, 24 Tach 2026 am 14:05 ysgrifennodd Deskhand <{A}>:\n"),
    "held_sw": Program(f"Mnamo Jumanne, 24 Nov 2026 saa 14:05 Deskhand <{A}> aliandika:\n"),
    "held_ka": Program(f"გამომგზავნი: {D}\nგაიგზავნა: სამშაბათი, 24 ნოემბერი, 2026 14:05\nმიმღები: {W}\nთემა: {S}\n", mark=""),
    "held_mk": Program(f"На вто., 24 ноем. 2026 г., во 14:05 Deskhand <{A}> напиша:\n"),
    "held_zu": Program(f"Ngo-Lwesibili, Nov 24, 2026, 14:05, u-Deskhand <{A}> wabhala:\n"),
    "held_star": Program(f"*From:* {D}\n*Sent:* Tuesday, November 24, 2026 2:05 PM\n*To:* {W}\n*Subject:* {S}\n", mark=""),
    "held_star2": Program(f"**Von:** {D}  \n**Gesendet:** Dienstag, 24. November 2026 14:05  \n**An:** {W}  \n**Betreff:** {S}\n", mark=""),
    "held_wrapaddr": Program(f"On Tue, Nov 24, 2026 at 2:05 PM Deskhand <\n{A}> wrote:\n"),
    "held_wrap3": Program(f"On Tuesday, November 24, 2026 at 02:05:11 PM GMT+1,\nDeskhand <{A}>\nwrote:\n"),
    "held_addr_only": Program(f"On 24.11.2026 14:05, {A} wrote:\n"),
    "held_quoted_name": Program(f"Le 24/11/2026 à 14:05, « Deskhand » <{A}> a écrit :\n"),
    "held_dash": Program(f"--- Deskhand <{A}> schrieb am Di, 24.11.2026:\n"),
    "held_nl": Program(f"Op dinsdag 24 november 2026 14:05 schreef Deskhand <{A}> het volgende:\n"),
    "held_bg": Program(f"На вт, 24.11.2026 г. в 14:05 Deskhand <{A}> написа:\n"),
    "held_hdr_bcc": Program(f"Van: {D}\nDatum: dinsdag 24 november 2026 om 14:05\nAan: {W}\nBCC: {W}\nOnderwerp: {S}\n", mark=""),
    "held_re_subject": Program(f"From: {D}\nTo: {W}\nSubject: RE: {S}\nSent: 24/11/2026 14:05\n", mark=""),
    "held_gnusl": Program(f">>>>> Deskhand  <{A}> writes:\n"),
    "held_pipe": Program(f"Deskhand <{A}>, 24 Kasım 2026 Salı, 14:05 tarihinde şunu yazdı:\n", mark="| "),
    "held_fa": Program(f"در تاریخ سه‌شنبه ۲۴ نوامبر ۲۰۲۶ ساعت ۱۴:۰۵ Deskhand <{A}> نوشت:\n"),
    "held_hi": Program(f"मंगल, 24 नव॰ 2026 को 2:05 pm बजे को Deskhand <{A}> ने लिखा:\n"),
    "held_zh_line": Program(f"Deskhand<{A}> 在 2026年11月24日 周二 14:05 写道：\n", mark=""),
    "held_kmail_de": Program("Am Dienstag, 24. November 2026, 14:05:11 Mitteleuropäische Normalzeit schrieb Deskhand:"),
    "held_no_attr": Program(""),
    "held_outlook_sep": Program(f"\n\n________________________________\nFra: {D}\nSendt: tirsdag 24. november 2026 14:05\nTil: {W}\nEmne: {S}\n", mark=""),
    "held_web": Program(f"\n \n\nGesendet: Dienstag, 24. November 2026 um 14:05\nVon: {Q}\nAn: {A}\nBetreff: {S}\n ", mark=""),
    "held_icloud": Program(f"On Nov 24, 2026, at 2:05 PM, Deskhand <{A}> wrote:\n\n\n", mark=""),
    "held_mailmate": Program("On 24 Nov 2026, at 14:05, Deskhand wrote:\n"),
    "held_via": Program(f"On Tue, Nov 24, 2026 at 2:05 PM 'Deskhand' via Ada Winter <{A}> wrote:\n"),
    "held_self": Program(f"On Tue, Nov 24, 2026 at 2:05 PM Ada Winter <{A}> wrote:\n"),
    "held_me": Program("On 24 Nov 2026 14:05, Ada Winter wrote:\n"),
    "held_msg": Program("In message <ask-41-1@winter.example>, Deskhand writes:\n"),
    "held_sqm": Program("On Tue, November 24, 2026 2:05 pm, Deskhand wrote:\n"),
    "held_fr_squ": Program("Le Mar 24 novembre 2026 14:05, Deskhand a écrit :\n"),
    "held_selon": Program(f"Selon Deskhand <{A}>:\n"),
    "held_rep": Program(f"=== Original message ===\nFrom: {D}\nDate: 2026-11-24 14:05\n=====\n", mark=""),
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A program that writes HTML beside the text: how it lays out a line, a blank line and the frame."""

    line: str
    blank: str
    frame: str
    quote: str = "<blockquote>{}</blockquote>"
    words: str = "<div>{}</div>"
    head: str = ""
    quoted_line: str = "{}<br>"
    quoted_blank: str = "<br>"
    footer: str = ""
    text: str = "classic"

    def __call__(self, reply: Reply) -> bytes:
        words = self.words.format(self._lines(reply.words, self.line, self.blank))
        quote_text = bare(Reply("", reply.asked, quote=reply.quote))
        end = "----- draft 41.1 ends -----"
        inner = self._lines(quote_text, self.quoted_line, self.quoted_blank)
        if reply.place == "inline":
            before, mark, after = inner.partition(end)
            cut = after.index(">") + 1 if "<" in self.quoted_line else 0
            close, rest = after[:cut], after[cut:]
            inner = f"{before}{mark}{close}\n{self._lines(reply.words, self.quoted_line, self.quoted_blank)}\n{rest}"
        quote = self.frame + self.quote.format(inner)
        footer = self.footer
        body = {"top": words + footer + quote, "bottom": quote + words + footer}.get(reply.place, quote)
        page = f"<html><head>{self.head}</head><body>{body}</body></html>"
        frame = f"On Tue, Nov 24, 2026 at 2:05 PM Deskhand <{A}> wrote:\n"
        return both(_text_of(reply, frame), page, reply)

    @staticmethod
    def _lines(text: str, line: str, blank: str) -> str:
        escaped = (html.escape(each, quote=False) for each in text.split("\n"))
        return "".join(line.format(each) if each else blank for each in escaped)


def _text_of(reply: Reply, frame: str) -> str:
    quote = marked(reply)
    return {"top": f"{reply.words}\n\n{frame}\n{quote}\n", "bottom": f"{frame}\n{quote}\n\n{reply.words}\n"}.get(
        reply.place, f"{frame}\n{quote}\n"
    )


_HEADERS = f"<b>From:</b> Deskhand &lt;{A}&gt;<br><b>Sent:</b> Tuesday, November 24, 2026 2:05 PM<br><b>To:</b> Ada Winter &lt;{A}&gt;<br><b>Subject:</b> {S}"
_WROTE = f"On Tue, Nov 24, 2026 at 2:05 PM Deskhand &lt;<a href='mailto:{A}'>{A}</a>&gt; wrote:"
_MSO = '<p class="MsoNormal">{}<o:p></o:p></p>'
_MSO_BLANK = '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>'

PAGES: dict[str, Page] = {
    "outlook_desktop": Page(_MSO, _MSO_BLANK, f'<div style="border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{_HEADERS}</p></div>', "{}", '<div class="WordSection1">{}</div>', "<style>p.MsoNormal{{margin:0cm;font-size:11pt}}</style>".replace("{{", "{").replace("}}", "}"), _MSO, _MSO_BLANK),
    "outlook_web_html": Page('<div class="elementToProof">{}</div>', '<div class="elementToProof"><br></div>', f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr"><font>{_HEADERS}</font><div>&nbsp;</div></div>', "<div>{}</div>"),
    "outlook_new": Page('<p style="margin: 0px;">{}</p>', '<p style="margin: 0px;"><br></p>', f"<hr><div>{_HEADERS}</div><br>", "<div>{}</div>"),
    "gmail_web": Page("<div>{}</div>", "<div><br></div>", f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{_WROTE}<br></div>', '<blockquote class="gmail_quote">{}</blockquote></div>', '<div dir="ltr">{}</div>'),
    "gmail_app": Page("{}<br>", "<br>", f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{_WROTE}<br></div>', '<blockquote class="gmail_quote">{}</blockquote></div>', '<div dir="auto">{}</div>'),
    "gmx_html": Page("<div>{}</div>", "<div>&nbsp;</div>", f'<div style="margin:10px 5px"><div style="margin:0 0 10px 0"><b>Gesendet:</b> Dienstag, 24. November 2026 um 14:05<br><b>Von:</b> Deskhand &lt;{A}&gt;<br><b>An:</b> {A}<br><b>Betreff:</b> {S}</div>', "<div>{}</div></div>"),
    "ox_html": Page('<div class="default-style">{}</div>', '<div class="default-style">&nbsp;</div>', f'<blockquote type="cite"><div>Deskhand &lt;{A}&gt; hat am 24.11.2026 14:05 CET geschrieben:</div><div><br></div><div><br></div>', "{}</blockquote>"),
    "thunderbird_html": Page("<p>{}</p>", "", '<div class="moz-cite-prefix">On 11/24/26 14:05, Deskhand wrote:<br></div>', '<blockquote type="cite"><pre class="moz-quote-pre" wrap="">{}</pre></blockquote>', "{}", "", "{}\n", "\n"),
    "thunderbird_div": Page("{}<br>", "<br>", '<div class="moz-cite-prefix">Am 24.11.26 um 14:05 schrieb Deskhand:<br></div>', '<blockquote type="cite" cite="mid:1@x">{}</blockquote>'),
    "proton_html": Page('<div style="font-family:Arial">{}</div>', '<div style="font-family:Arial"><br></div>', f'<div class="protonmail_quote">On Tuesday, November 24th, 2026 at 14:05, Deskhand &lt;{A}&gt; wrote:<br>', '<blockquote class="protonmail_quote" type="cite">{}</blockquote><br></div>', "{}", footer='<div class="protonmail_signature_block"><div class="protonmail_signature_block-proton">Sent with <a href="https://proton.me/mail/home">Proton Mail</a> secure email.</div></div><div><br></div>'),
    "apple_mail_html": Page("<div>{}</div>", "<div><br></div>", f'<div><br><blockquote type="cite"><div>On 24 Nov 2026, at 14:05, Deskhand &lt;{A}&gt; wrote:</div><br class="Apple-interchange-newline">', "<div>{}</div></blockquote></div>"),
    "apple_notes_p": Page('<p class="p1">{}</p>', '<p class="p2"><br></p>', f"<div>{_WROTE}</div>", "<blockquote>{}</blockquote>", "{}", "<style>p.p1 {margin: 0.0px 0.0px 0.0px 0.0px; font: 12.0px Helvetica} p.p2 {margin: 0.0px 0.0px 0.0px 0.0px; min-height: 14.0px}</style>"),
    "yahoo_html": Page('<div dir="ltr">{}</div>', '<div dir="ltr"><br></div>', f'<div id="yahoo_quoted_1" class="yahoo_quoted"><div><div>On Tuesday, November 24, 2026 at 02:05:11 PM GMT+1, Deskhand &lt;{A}&gt; wrote: </div><div><br></div><div><br></div>', "<div>{}</div></div></div>"),
    "zoho_html": Page("<div>{}<br></div>", "<div><br></div>", f'<div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- On Tue, 24 Nov 2026 14:05:11 +0100 <b>Deskhand &lt;{A}&gt;</b> wrote ---<br></div><br>', "<blockquote>{}</blockquote></div>"),
    "samsung_html": Page('<div dir="auto">{}</div>', '<div dir="auto"><br></div>', f'<div style="font-size:100%"><!-- originalMessage --><div>-------- Original message --------</div><div>From: Deskhand &lt;{A}&gt; </div><div>Date: 24/11/2026  14:05  (GMT+01:00) </div><div>To: Ada Winter &lt;{A}&gt; </div><div>Subject: {S} </div><div><br></div></div>', "{}", footer='<div id="composer_signature" dir="auto"><div>Sent from my Galaxy</div></div><div dir="auto"><br></div>'),
    "fastmail_html": Page("<div>{}<br></div>", "<div><br></div>", "<div>On Tue, Nov 24, 2026, at 2:05 PM, Deskhand wrote:<br></div>", '<blockquote type="cite">{}</blockquote>'),
    "tuta_html": Page('<div dir="auto">{}</div>', '<div dir="auto"><br></div>', f"<div>24.11.2026, 14:05 von {A}:<br></div>", '<blockquote class="tutanota_quote">{}</blockquote>', "{}", footer='<div dir="auto"><br></div><div dir="auto">-- <br></div><div dir="auto"> Sent with Tuta; enjoy secure &amp; ad-free emails: <br></div><div dir="auto"> https://tuta.com</div>'),
    "outlook_gmail_signature": Page("<div>{}</div>", "<div><br></div>", f'<br><div class="gmail_quote"><div class="gmail_attr">{_WROTE}<br></div>', "<blockquote>{}</blockquote></div>", footer='<br clear="all"><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div>Ada Winter</div><div>Texts and pages</div><div>+49 40 7654321</div></div>'),
}  # fmt: skip

HELD_BACK = frozenset(list(TEXT)[list(TEXT).index("groupwise") :]) | {
    "outlook_new", "apple_notes_p", "yahoo_html", "zoho_html", "fastmail_html", "tuta_html",
}  # fmt: skip
PROGRAMS: dict[str, Callable[[Reply], bytes]] = {**TEXT, **PAGES}
