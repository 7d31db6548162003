"""A mail routed as the ledger does it: read first, then decided."""

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Route, Surroundings
from workflows.rules.reading import read
from workflows.rules.routing import route


def routed(email: Email, owner: Owner, around: Surroundings) -> Route:
    return route(read(email, owner, around), owner, around)
