"""Answers as real mail programs write them: bytes of a reply to an approval mail, in the shape of each program.

Shapes only, from the programs' public behaviour; every text is our own. The
generated answers are made of them; `tests/mail/answers/*.eml` began as them.
"""

# ruff: noqa: E501, RUF001 - tables of what people and mail programs write

import base64
import html
import quopri
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

OWNER = "Ada Winter <ada@winter.example>"
DESK = "Deskhand <ada@winter.example>"
SUBJECT = "Maria Alvarez: Kick-off date? [Deskhand 41.1]"


@dataclass(frozen=True)
class Language:
    """How mail programs speak in one language; {a} is the address with brackets."""

    gmail: str
    apple: str
    thunderbird: str
    iphone: str
    outlook_phone: str
    headers: tuple[str, str, str, str]  # From, Sent, To, Subject
    original: str
    re: str = "Re"


LANGUAGES = {
    "en": Language("On Tue, Nov 24, 2026 at 2:05 PM Deskhand {a} wrote:", "On 24 Nov 2026, at 14:05, Deskhand {a} wrote:", "On 11/24/26 14:05, Deskhand wrote:", "Sent from my iPhone", "Get Outlook for iOS", ("From", "Sent", "To", "Subject"), "Original Message"),
    "de": Language("Am Di., 24. Nov. 2026 um 14:05 Uhr schrieb Deskhand {a}:", "Am 24.11.2026 um 14:05 schrieb Deskhand {a}:", "Am 24.11.26 um 14:05 schrieb Deskhand:", "Von meinem iPhone gesendet", "Outlook für iOS beziehen", ("Von", "Gesendet", "An", "Betreff"), "Ursprüngliche Nachricht", "AW"),
    "fr": Language("Le mar. 24 nov. 2026 à 14:05, Deskhand {a} a écrit :", "Le 24 nov. 2026 à 14:05, Deskhand {a} a écrit :", "Le 24/11/2026 à 14:05, Deskhand a écrit :", "Envoyé de mon iPhone", "Obtenir Outlook pour iOS", ("De", "Envoyé", "À", "Objet"), "Message d'origine", "RE"),
    "es": Language("El mar, 24 nov 2026 a las 14:05, Deskhand ({b}) escribió:", "El 24 nov 2026, a las 14:05, Deskhand {a} escribió:", "El 24/11/26 a las 14:05, Deskhand escribió:", "Enviado desde mi iPhone", "Obtener Outlook para iOS", ("De", "Enviado", "Para", "Asunto"), "Mensaje original", "RE"),
    "pt": Language("Deskhand {a} escreveu (terça, 24/11/2026 à(s) 14:05):", "No dia 24/11/2026, às 14:05, Deskhand {a} escreveu:", "Em 24/11/2026 14:05, Deskhand escreveu:", "Enviado do meu iPhone", "Obter o Outlook para iOS", ("De", "Enviada em", "Para", "Assunto"), "Mensagem original", "RES"),
    "it": Language("Il giorno mar 24 nov 2026 alle ore 14:05 Deskhand {a} ha scritto:", "Il giorno 24 nov 2026, alle ore 14:05, Deskhand {a} ha scritto:", "Il 24/11/26 14:05, Deskhand ha scritto:", "Inviato da iPhone", "Ottieni Outlook per iOS", ("Da", "Inviato", "A", "Oggetto"), "Messaggio originale", "R"),
    "nl": Language("Op di 24 nov 2026 om 14:05 schreef Deskhand {a}:", "Op 24 nov 2026 om 14:05 heeft Deskhand {a} het volgende geschreven:", "Op 24-11-2026 om 14:05 schreef Deskhand:", "Verstuurd vanaf mijn iPhone", "Outlook voor iOS downloaden", ("Van", "Verzonden", "Aan", "Onderwerp"), "Oorspronkelijk bericht", "Antw"),
    "pl": Language("wt., 24 lis 2026 o 14:05 Deskhand {a} napisał(a):", "Wiadomość napisana przez Deskhand {a} w dniu 24.11.2026, o godz. 14:05:", "W dniu 24.11.2026 o 14:05, Deskhand pisze:", "Wysłane z iPhone'a", "Pobierz program Outlook dla systemu iOS", ("Od", "Wysłane", "Do", "Temat"), "Oryginalna wiadomość", "Odp"),
    "sv": Language("Den tis 24 nov. 2026 kl 14:05 skrev Deskhand {a}:", "24 nov. 2026 kl. 14:05 skrev Deskhand {a}:", "Den 2026-11-24 kl. 14:05, skrev Deskhand:", "Skickat från min iPhone", "Get Outlook for iOS", ("Från", "Skickat", "Till", "Ämne"), "Ursprungligt meddelande", "Sv"),
    "da": Language("Den tirs. 24. nov. 2026 kl. 14.05 skrev Deskhand {a}:", "Den 24. nov. 2026 kl. 14.05 skrev Deskhand {a}:", "Den 24.11.2026 kl. 14.05 skrev Deskhand:", "Sendt fra min iPhone", "Get Outlook for iOS", ("Fra", "Sendt", "Til", "Emne"), "Original meddelelse", "Sv"),
    "cs": Language("út 24. 11. 2026 v 14:05 odesílatel Deskhand {a} napsal:", "24. 11. 2026 v 14:05, Deskhand {a}:", "Dne 24. 11. 26 v 14:05 Deskhand napsal(a):", "Sent from my iPhone", "Get Outlook for iOS", ("Od", "Odesláno", "Komu", "Předmět"), "Původní zpráva"),
    "ru": Language("вт, 24 нояб. 2026 г. в 14:05, Deskhand {a}:", "24 нояб. 2026 г., в 14:05, Deskhand {a} написал(а):", "24.11.2026 14:05, Deskhand пишет:", "Sent from my iPhone", "Get Outlook for iOS", ("От", "Отправлено", "Кому", "Тема"), "Исходное сообщение"),
    "ja": Language("2026年11月24日(火) 14:05 Deskhand {a}:", "2026/11/24 14:05、Deskhand {a}のメール:", "On 2026/11/24 14:05, Deskhand wrote:", "Sent from my iPhone", "Get Outlook for iOS", ("差出人", "送信日時", "宛先", "件名"), "元のメッセージ"),
    "zh": Language("Deskhand {a} 于2026年11月24日周二 14:05写道：", "2026年11月24日 14:05，Deskhand {a} 写道：", "在 2026/11/24 14:05, Deskhand 写道:", "Sent from my iPhone", "Get Outlook for iOS", ("发件人", "发送时间", "收件人", "主题"), "原始邮件"),
}  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """One answer to be written: the words typed, where, and into which approval text."""

    words: str
    asked: str
    language: str = "en"
    place: str = "top"  # top | bottom | inline
    quote: str | None = None  # the quoted text when the owner edited it, else `asked`

    @property
    def quoted(self) -> str:
        return (self.asked if self.quote is None else self.quote).rstrip("\n")

    @property
    def says(self) -> Language:
        return LANGUAGES[self.language]

    def named(self, pattern: str) -> str:
        return pattern.format(a="<ada@winter.example>", b="<ada@winter.example>")


# ---------------------------------------------------------------- quoting


def marked(reply: Reply, width: int = 0, mark: str = "> ", blank: str = ">") -> str:
    """The quote with marks, wrapped to `width` (each piece marked), with words typed in between when inline."""
    lines: list[str] = []
    for line in reply.quoted.split("\n"):
        prefix = mark if not line.startswith(">") else ">"
        pieces = textwrap.wrap(line, width - 2, break_long_words=False, break_on_hyphens=False) if width else [line]
        lines += [f"{prefix}{piece}" for piece in pieces if piece] or [blank]
        if reply.place == "inline" and line.startswith("----- draft 41.1 ends"):
            lines += ["", reply.words, ""]
    return "\n".join(lines)


def bare(reply: Reply, indent: str = "") -> str:
    """The quote without marks, as Outlook, Samsung and Yahoo have it."""
    lines: list[str] = []
    for line in reply.quoted.split("\n"):
        lines.append(f"{indent}{line}" if line else "")
        if reply.place == "inline" and line.startswith("----- draft 41.1 ends"):
            lines += ["", reply.words, ""]
    return "\n".join(lines)


def around(reply: Reply, frame: str, quote: str, below_words: str = "") -> str:
    """The words on top, below or nowhere, the frame and the quote."""
    if reply.place == "bottom":
        return f"{frame}\n{quote}\n\n{reply.words}\n{below_words}"
    if reply.place == "inline":
        return f"{frame}\n{quote}\n{below_words}"
    return f"{reply.words}\n{below_words}\n{frame}\n{quote}\n"


def block_of_headers(reply: Reply, bold: str = "") -> str:
    names, values = reply.says.headers, (DESK, "Tuesday, November 24, 2026 2:05 PM", OWNER, SUBJECT)
    return "\n".join(f"{bold}{name}:{bold} {value}" for name, value in zip(names, values, strict=True))


def as_html(text: str) -> str:
    return "<br>\r\n".join(html.escape(line, quote=False) or "" for line in text.split("\n"))


def linked(escaped: str) -> str:
    address = "maria@studio.example"
    return escaped.replace(address, f'<a href="mailto:{address}" target="_blank">{address}</a>')


# ---------------------------------------------------------------- wrapping bytes


def mail(body: bytes, content_type: str, reply: Reply, *extra: str, encoding: str = "8bit") -> bytes:
    subject = f"{reply.says.re}: {SUBJECT}"
    lines = [
        f"From: {OWNER}",
        f"To: {DESK}",
        f"Subject: {subject}",
        "Date: Tue, 24 Nov 2026 14:31:07 +0100",
        "Message-ID: <answer-1@winter.example>",
        "In-Reply-To: <ask-41-1@winter.example>",
        "References: <41.1.abc@deskhand.invalid> <ask-41-1@winter.example>",
        "MIME-Version: 1.0",
        *extra,
        f"Content-Type: {content_type}",
        f"Content-Transfer-Encoding: {encoding}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def encoded(text: str, encoding: str) -> bytes:
    data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    if encoding == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    return (
        quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        if encoding == "quoted-printable"
        else data
    )


def plain(text: str, reply: Reply, *extra: str, encoding: str = "8bit", parameters: str = "") -> bytes:
    return mail(encoded(text, encoding), f"text/plain; charset=utf-8{parameters}", reply, *extra, encoding=encoding)


def both(text: str, page: str, reply: Reply, *extra: str, encoding: str = "quoted-printable") -> bytes:
    parts = [
        f"--b1\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        + encoded(content, encoding)
        for kind, content in (("plain", text), ("html", page))
    ]
    return mail(b"\r\n".join(parts) + b"\r\n--b1--\r\n", 'multipart/alternative; boundary="b1"', reply, *extra)


# ---------------------------------------------------------------- the programs


def gmail(reply: Reply) -> bytes:
    frame = reply.named(reply.says.gmail)
    text = around(reply, "\n".join(textwrap.wrap(frame, 76)) + "\n", marked(reply, 78))
    inner = linked(as_html(bare(Reply("", reply.asked, quote=reply.quote))))
    if reply.place == "inline":
        end = html.escape("----- draft 41.1 ends -----")
        inner = inner.replace(end, f"{end}</blockquote><div>{as_html(reply.words)}</div><blockquote>", 1)
    quote = (
        f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{linked(html.escape(frame))}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;padding-left:1ex">{inner}</blockquote></div>'
    )
    words = "".join(f"<div>{html.escape(line) or '<br>'}</div>" for line in reply.words.split("\n"))
    pieces = {"top": f'<div dir="ltr">{words}</div><br>{quote}', "bottom": f'{quote}<div dir="ltr">{words}</div>'}
    return both(text, pieces.get(reply.place, quote), reply, encoding="quoted-printable")


def apple_mail(reply: Reply) -> bytes:
    frame = f"> {reply.named(reply.says.apple)}\n> "
    return plain(around(reply, frame, marked(reply, 0, blank="> ")), reply, "X-Mailer: Apple Mail (2.3864)")


def iphone(reply: Reply) -> bytes:
    frame = f"> {reply.named(reply.says.apple)}\n> "
    quote = "> \ufeff" + marked(reply, 0, blank="> ").removeprefix("> ")
    signed = f"\n{reply.says.iphone}\n" if reply.place == "top" else ""
    text = around(reply, frame, quote, signed)
    words = as_html(reply.words)
    page = (
        f'<html><body dir="auto"><div dir="ltr">{words}</div><br id="lineBreakAtBeginningOfSignature">'
        f'<div dir="ltr">{reply.says.iphone}</div><div dir="ltr"><br><blockquote type="cite">'
        f"{html.escape(reply.named(reply.says.apple))}<br><br></blockquote></div>"
        f'<blockquote type="cite"><div dir="ltr">\ufeff{linked(as_html(bare(reply)))}</div></blockquote></body></html>'
    )
    return both(text, page, reply, encoding="base64") if reply.place == "top" else plain(text, reply)


def outlook(reply: Reply) -> bytes:
    headers = block_of_headers(reply)
    text = around(
        reply,
        headers + "\n",
        bare(reply).replace("maria@studio.example", "maria@studio.example<mailto:maria@studio.example>"),
    )
    words = "".join(f'<p class="MsoNormal">{html.escape(line) or "&nbsp;"}</p>' for line in reply.words.split("\n"))
    quote = "".join(
        f'<p class="MsoNormal">{linked(html.escape(line, quote=False)) or "&nbsp;"}</p>'
        for line in bare(Reply("", reply.asked, quote=reply.quote)).split("\n")
    )
    if reply.place == "inline":
        end = '<p class="MsoNormal">----- draft 41.1 ends -----</p>'
        quote = quote.replace(end, end + words, 1)
    frame = f'<div style="border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>{"<br><b>".join(html.escape(line, quote=False).replace(":", ":</b>", 1) for line in headers.split(chr(10)))}</p></div>'
    order = {"top": words + frame + quote, "bottom": frame + quote + words}.get(reply.place, frame + quote)
    return both(
        text,
        f'<html><body><div class="WordSection1">{order}</div></body></html>',
        reply,
        "X-Mailer: Microsoft Outlook 16.0",
    )


def outlook_web(reply: Reply) -> bytes:
    return plain(
        around(reply, "________________________________\n" + block_of_headers(reply) + "\n", bare(reply)), reply
    )


def outlook_phone(reply: Reply) -> bytes:
    signed = f"\n{reply.says.outlook_phone}<https://aka.ms/o0ukef>\n" if reply.place == "top" else ""
    frame = "________________________________\n" + block_of_headers(reply) + "\n"
    return plain(around(reply, frame, bare(reply), signed), reply, encoding="base64")


def outlook_original(reply: Reply) -> bytes:
    frame = f"-----{reply.says.original}-----\n{block_of_headers(reply)}\n"
    return plain(around(reply, frame, bare(reply)), reply)


def thunderbird(reply: Reply) -> bytes:
    text = around(reply, reply.named(reply.says.thunderbird), marked(reply, 0))
    return plain(text, reply, "User-Agent: Mozilla Thunderbird", parameters="; format=flowed")


def thunderbird_wrapped(reply: Reply) -> bytes:
    return plain(around(reply, reply.named(reply.says.thunderbird), marked(reply, 72)), reply)


def yahoo(reply: Reply) -> bytes:
    frame = "    On Tuesday, November 24, 2026 at 02:05:11 PM GMT+1, Deskhand <ada@winter.example> wrote:  \n "
    return plain(around(reply, frame, bare(reply, " ")), reply, encoding="quoted-printable")


def yahoo_phone(reply: Reply) -> bytes:
    signed = "\nSent from Yahoo Mail on Android\n" if reply.place == "top" else ""
    frame = "  On Tue, Nov 24, 2026 at 14:05, Deskhand<ada@winter.example> wrote:   "
    return plain(around(reply, frame, bare(reply, " "), signed), reply)


def samsung(reply: Reply) -> bytes:
    signed = "\nSent from my Galaxy\n" if reply.place == "top" else ""
    frame = (
        f"\n-------- Original message --------\nFrom: {DESK}\nDate: 24/11/2026  14:05  (GMT+01:00)\n"
        f"To: {OWNER}\nSubject: {SUBJECT}\n"
    )
    return plain(around(reply, frame, bare(reply), signed), reply, encoding="base64")


def proton(reply: Reply) -> bytes:
    signed = "\nSent with Proton Mail secure email.\n" if reply.place == "top" else ""
    frame = "On Tuesday, November 24th, 2026 at 14:05, Deskhand <ada@winter.example> wrote:\n"
    return plain(around(reply, frame, marked(reply, 0), signed), reply)


def k9(reply: Reply) -> bytes:
    signed = (
        "\n-- \nSent from my Android device with K-9 Mail. Please excuse my brevity.\n" if reply.place == "top" else ""
    )
    frame = "On 24 November 2026 14:05:11 CET, Deskhand <ada@winter.example> wrote:"
    return plain(around(reply, frame, marked(reply, 72, mark=">"), signed), reply)


def mutt(reply: Reply) -> bytes:
    frame = "On Tue, Nov 24, 2026 at 02:05:11PM +0100, Deskhand wrote:"
    return plain(
        around(reply, frame, marked(reply, 0), "\n-- \nAda Winter\nwinter.example\n" if reply.place == "top" else ""),
        reply,
    )


def roundcube(reply: Reply) -> bytes:
    return plain(around(reply, "On 2026-11-24 14:05, Deskhand wrote:", marked(reply, 76)), reply)


def zoho(reply: Reply) -> bytes:
    frame = "---- On Tue, 24 Nov 2026 14:05:11 +0100 Deskhand <ada@winter.example> wrote ---\n"
    return plain(around(reply, frame, bare(reply)), reply)


def gmx(reply: Reply) -> bytes:
    frame = f"Gesendet: Dienstag, 24. November 2026 um 14:05\nVon: {DESK}\nAn: {OWNER}\nBetreff: {SUBJECT}"
    return plain(around(reply, frame, bare(reply)), reply)


def evolution(reply: Reply) -> bytes:
    return plain(around(reply, "On Tue, 2026-11-24 at 14:05 +0100, Deskhand wrote:", marked(reply, 71)), reply)


def html_only(reply: Reply) -> bytes:
    frame = html.escape(reply.named(reply.says.apple))
    words, quote = as_html(reply.words), as_html(bare(reply))
    order = {"top": f"<div>{words}</div><div>{frame}</div><blockquote>{quote}</blockquote>"}
    order["bottom"] = f"<div>{frame}</div><blockquote>{quote}</blockquote><div>{words}</div>"
    page = f"<html><body>{order.get(reply.place, f'<div>{frame}</div><blockquote>{quote}</blockquote>')}</body></html>"
    return mail(encoded(page, "base64"), "text/html; charset=utf-8", reply, encoding="base64")


def unquoted(reply: Reply) -> bytes:
    return plain(f"{reply.words}\n", reply)


STYLES: dict[str, Callable[[Reply], bytes]] = {
    style.__name__: style
    for style in (
        gmail, apple_mail, iphone, outlook, outlook_web, outlook_phone, outlook_original, thunderbird,
        thunderbird_wrapped, yahoo, yahoo_phone, samsung, proton, k9, mutt, roundcube, zoho, gmx, evolution, html_only,
    )
}  # fmt: skip
