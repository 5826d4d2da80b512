"""Takes in what phones kept while they had no signal: each item once, whatever the network did to it.

An item is the form of an ordinary page, sent to that page's own view with `Outbox-*` headers. Around the view stand
three hooks. Before it: whose item is it, and was it taken in already? While it runs: the first transaction that really
writes something also writes the receipt, so both are there or neither. After it: whatever the view said becomes JSON.
A lost answer costs nothing: the phone asks again and is given the same receipt.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask, Response, abort, current_app, g, jsonify, request, session
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from fieldapp import clock, db, pages
from fieldapp.accounts.models import User
from fieldapp.guard import closed_account, is_item, is_public
from fieldapp.sync import held, held_queries, notice, operations, queries, rules
from fieldapp.sync.models import Epoch, Receipt
from fieldapp.sync.rules import Item, MalformedItem

BUSY = (OperationalError, InterfaceError, TimeoutError)
"""Locked, in a deadlock, out of reach, or every connection taken: what another try may find otherwise."""


def init_app(app: Flask) -> None:
    """Put the hooks around every request; after the guard, which says who sends it."""
    app.before_request(_begin)
    app.after_request(_answer)
    app.register_error_handler(DBAPIError, _database_trouble)


class Taking:
    """One item while its view runs."""

    def __init__(self, item: Item, user: User, body_hash: str, opened: Session) -> None:
        self.item, self.user, self.body_hash = item, user, body_hash
        self.receipt: Receipt | None = None
        self.outcome = "stored"
        self._wrote = False
        event.listen(opened, "after_flush", self._note_flush)
        event.listen(opened, "do_orm_execute", self._note_bulk)
        event.listen(opened, "before_commit", self._add_receipt)
        event.listen(opened, "after_transaction_end", self._look_back)

    def _note_flush(self, _session: Session, _context: Any) -> None:
        self._wrote = True

    def _note_bulk(self, state: ORMExecuteState) -> None:
        self._wrote |= not state.is_select and (state.is_insert or state.is_update or state.is_delete)

    def _add_receipt(self, opened: Session) -> None:
        """A view may commit before it has written anything, to let others write while it works: that one gets none."""
        if opened.in_nested_transaction() or self.receipt:
            return
        opened.flush()
        if self._wrote:
            self.write(opened)

    def write(self, opened: Session) -> Receipt:
        """Write the receipt; the caller commits. First its turn, then its moment: what was received before a backup
        began to wait for its own turn is in that backup."""
        opened.connection()
        now = clock.now()
        self.receipt = operations.write_receipt(opened, self.item, self.user, self.body_hash, now, self.outcome)
        return self.receipt

    def _look_back(self, opened: Session, transaction: SessionTransaction) -> None:
        """What was undone is not on record, and neither is its receipt."""
        if transaction.parent is None:
            self._wrote = False
            if self.receipt is not None and self.receipt not in opened:
                self.receipt = None


def _begin() -> Response | None:
    """Answer what was taken in before, and what nobody may send; else let the view have it."""
    if not is_item() or request.endpoint in (None, "sync.left"):
        return None
    try:
        item = rules.read_item(dict(request.headers))
    except MalformedItem as error:
        current_app.logger.warning("an item with malformed headers: %s", error)
        return _json(400, id=request.headers["Outbox-Id"], outcome="refused", reason=_unread(), fields={})
    if not current_user.is_authenticated:
        return _sign_in()
    if is_public():
        abort(404)  # the sign-in page and the like: nothing that a phone keeps
    g.outbox_item = item
    body_hash = said_hash(request.path)
    if known := queries.receipt(db.session(), item.id):
        return _known(known, item, body_hash)
    g.taking = Taking(item, current_user._get_current_object(), body_hash, db.session())
    return None


def said_hash(path: str) -> str:
    """The hash of this request's fields and files, as sent to `path`."""
    files = []
    for name, file in request.files.items(multi=True):
        digest = hashlib.file_digest(file.stream, "sha256")  # type: ignore[arg-type]
        files.append((name, digest.hexdigest()))
        file.stream.seek(0)
    return rules.body_hash(path, request.form.items(multi=True), files)


def _answer(response: Response) -> Response:
    """Turn what was answered to an item into JSON, and write the receipt of what changed nothing."""
    if not is_item():
        return response
    # A queued form may arrive long after: it must not hand its browser an older session than it has.
    session.modified = False
    if g.get("is_answered"):
        return response
    taking: Taking | None = g.get("taking")
    try:
        if taking:
            return _outcome(taking, response)
    except SQLAlchemyError as error:
        return _trouble(error)
    return _stopped(response.status_code)


def _outcome(taking: Taking, response: Response) -> Response:
    if taking.receipt:
        return _taken_in(taking.receipt)
    if response.status_code >= 400:
        db.give_up()
        if response.status_code == 404:
            return _hold(taking, request.path)
        return _stopped(response.status_code)
    opened = db.session()
    opened.rollback()
    if known := queries.receipt(opened, taking.item.id):
        return _known(known, taking.item, taking.body_hash)
    receipt = taking.write(opened)
    opened.commit()
    return _taken_in(receipt)


def _hold(taking: Taking, path: str) -> Response:
    """Keep apart what was written about a door that is somebody else's now; refuse the rest of what is not there."""
    opened, unseen = db.session(), g.pop("refused", None)
    taking.outcome = "held"
    found = held.hold(opened, taking.user, taking.item, path)
    if isinstance(found, Response):
        return _stopped(found.status_code)
    if found is None:
        g.refused = unseen
        return _stopped(404)
    receipt = taking.write(opened)
    opened.commit()
    return _taken_in(receipt)


def take_left() -> Response:
    """Keep apart what somebody wrote before their account was closed. Their session still names them and carries the
    stamp of their password; nobody else gets anything by it."""
    user = closed_account()
    try:
        item = rules.read_item(dict(request.headers))
    except MalformedItem:
        return _sign_in()
    if user is None or user.id != item.user_id:
        return _sign_in()
    opened, path = db.session(), request.headers.get("Outbox-Path", "")
    body_hash = said_hash(path)
    if known := queries.receipt(opened, item.id):
        return _known(known, item, body_hash)
    g.taking = Taking(item, user, body_hash, opened)
    g.refused = {"reason": pages.error_words(404)[1], "fields": {}}
    return _hold(g.taking, path)


def _taken_in(receipt: Receipt) -> Response:
    notice.note(receipt.received_at, epoch())
    return _given(receipt, 201)


def _stopped(status: int) -> Response:
    """The answer to an item that was not taken: nobody is signed in, not now, or never."""
    if status < 400 or status == 401:
        return _sign_in()
    if status == 410:
        return _json(410, outcome="left")
    if status >= 500 or status in (408, 429):
        return _json(status, outcome="later")
    said = g.get("refused") or {"reason": _unread(), "fields": {}}
    return _json(status, id=request.headers["Outbox-Id"], outcome="refused", **said)


def _known(known: Receipt, item: Item, body_hash: str) -> Response:
    """The same receipt again; only for the one who sent it, and only for the same words."""
    if known.user_id != item.user_id or known.body_hash != body_hash:
        reason = _("同一条发过别的内容，这次的没收。重新记一次。")
        return _json(409, id=str(item.id), outcome="other", reason=reason)
    return _given(known, 200)


def _given(receipt: Receipt, status: int) -> Response:
    """A receipt as JSON; what is held says why, each time anew: in a language, and with names of today."""
    said = {"id": str(receipt.id), "outcome": receipt.outcome, "at": stamp(receipt.received_at)}
    said |= standing(receipt.community_id)
    if receipt.outcome == "held":
        kept = held_queries.item(db.session(), receipt.id)
        said["reason"] = held.words_for(db.session(), kept) if kept else ""
        status = 202
    return _json(status, **said)


def standing(community_id: UUID | None) -> dict[str, Any]:
    """What every answer to a phone ends with: the community's change, the database's epoch, what is backed up."""
    until = epoch().backed_up_until
    return {
        "change": queries.change(db.session(), community_id).number,
        "epoch": str(epoch().epoch),
        "backed_up_until": stamp(until) if until else None,
    }


def epoch() -> Epoch:
    """Which life of the database this is, read once a request."""
    if "epoch" not in g:
        db.only_read()
        g.epoch = queries.epoch(db.session())
    if g.epoch is None:
        with db.writing() as opened:
            g.epoch = operations.ensure_epoch(opened, clock.now())
    return g.epoch


def stamp(moment: datetime) -> str:
    """A moment as phones read it."""
    return moment.isoformat().replace("+00:00", "Z")


def _sign_in() -> Response:
    return _json(401, outcome="sign-in")


def _unread() -> str:
    return pages.error_words(400)[1]


def _json(status: int, **said: Any) -> Response:
    g.is_answered = True
    answer = jsonify(said)
    answer.status_code = status
    return answer


def _database_trouble(error: DBAPIError) -> Response:
    """An item that met another one, or a busy database; a page goes on to be an error page."""
    if not is_item():
        raise error
    return _trouble(error)


def _trouble(error: SQLAlchemyError) -> Response:
    """Sent twice at once, the second one finds the first one's receipt. What is only busy is to be sent again later."""
    taking: Taking | None = g.get("taking")
    try:
        db.give_up()
        met = queries.receipt(db.session(), taking.item.id) if taking and isinstance(error, IntegrityError) else None
        if taking and met:
            return _known(met, taking.item, taking.body_hash)
    except SQLAlchemyError:
        current_app.logger.exception("no receipt could be read")
    current_app.logger.error("an item was not taken in", exc_info=error)
    is_busy = isinstance(error, BUSY) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    return _json(503 if is_busy else 500, outcome="later")
