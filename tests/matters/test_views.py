"""The tab 诉求: promises by their day, and what was done last."""

from datetime import timedelta

from tests.conftest import NOW
from tests.factories import make_follow_up

TODAY = NOW.date()


def page(sign_in, username="worker"):
    return sign_in(username).get("/matters").get_data(as_text=True)


def test_promises_stand_by_their_day(sign_in, cast, session):
    worker = cast.users["worker"]
    make_follow_up(session, cast.households[1], worker, "修楼道灯", due_on=TODAY - timedelta(days=3))
    make_follow_up(session, cast.households[2], worker, "问低保", due_on=None)
    make_follow_up(session, cast.households[3], worker, "送药", due_on=TODAY, done_at=NOW, done_by_id=worker.id)
    session.commit()
    said = page(sign_in)
    order = ["过期的 1", "修楼道灯", "快到了 1", "问助餐卡", "没定日期 1", "问低保", "最近办到的 1", "送药"]
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert "答应过的事 3 件没办" in said


def test_each_sees_the_promises_of_their_own_districts(sign_in, cast):
    for username in ("worker", "partner", "director"):
        assert "问助餐卡" in page(sign_in, username)
    for username in ("other", "neighbour", "stranger"):
        assert "问助餐卡" not in page(sign_in, username)
        assert "答应过的都办了" in page(sign_in, username)


def test_a_promise_is_ticked_here(sign_in, cast):
    person = sign_in("worker")
    tick = f"/follow-ups/{cast.follow_up.id}/done"
    said = person.get("/matters").get_data(as_text=True)
    assert f'action="{tick}"' in said
    assert f'hx-post="{tick}"' in said
    person.post(tick)
    said = person.get("/matters").get_data(as_text=True)
    assert "最近办到的 1" in said
    assert f'action="/follow-ups/{cast.follow_up.id}/undone"' in said
