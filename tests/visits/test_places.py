"""Where Today's stairwells are: what the phone puts into walking order."""

import re

from tests.factories import make_dwelling, make_household


def test_every_stairwell_says_where_it_is(sign_in, cast):
    page = sign_in("worker").get("/today?all=1").get_data(as_text=True)
    stops = re.findall(r'<section data-stop="([0-9a-f-]{36})/(\d+)" data-at="([\d.]+) ([\d.]+)">', page)
    assert stops
    assert len(stops) == page.count("<section data-stop")
    assert len(set(stops)) == len(stops)
    for building_id, _entrance, longitude, latitude in stops:
        assert building_id == str(cast.building.id)
        assert abs(float(longitude) - cast.building.longitude) < 1e-4
        assert abs(float(latitude) - cast.building.latitude) < 1e-4


def test_a_building_without_a_shape_stays_on_the_list(sign_in, cast, session):
    cast.building.geometry = None
    session.commit()
    page = sign_in("worker").get("/today?all=1").get_data(as_text=True)
    assert "data-stop=" in page
    assert "data-at=" not in page


def test_places_take_one_statement_however_many_doors(sign_in, cast, session, count_queries):
    worker, counted = sign_in("worker"), []
    for number in range(2):
        before = count_queries()
        assert worker.get("/today?all=1").status_code == 200
        counted.append(count_queries() - before)
        if number == 0:
            for room in range(20):
                dwelling = make_dwelling(session, cast.building, cast.district, str(900 + room), entrance=room % 3 + 1)
                make_household(session, dwelling, f"住{room}")
            session.commit()
    assert counted[0] == counted[1]
