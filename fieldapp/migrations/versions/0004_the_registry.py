"""The registry: sealed numbers, more facts, stamps, events, merges, erasures; the spot check."""

import json

import sqlalchemy as sa
from alembic import op

import fieldapp.db
from fieldapp.seals import is_sealed, keyring, opened

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring an older database here."""
    op.create_table(
        "erasure",
        sa.Column("resident_id", fieldapp.db.Key(), nullable=False),
        sa.Column("erased_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("erased_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("why", sa.String(length=24), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_erasure_community_id")),
        sa.ForeignKeyConstraint(["erased_by_id"], ["user_account.id"], name=op.f("fk_erasure_erased_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("resident_id", name=op.f("uq_erasure_resident_id")),
    )
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_community_id"), ["community_id"], unique=False)

    op.create_table(
        "spot_check",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("drawn_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("drawn_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("replaces_id", fieldapp.db.Key(), nullable=True),
        sa.Column("closed_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("closed_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("signature", sa.String(length=64), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user_account.id"], name=op.f("fk_spot_check_closed_by_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_spot_check_community_id")),
        sa.ForeignKeyConstraint(["drawn_by_id"], ["user_account.id"], name=op.f("fk_spot_check_drawn_by_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["spot_check.id"], name=op.f("fk_spot_check_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_check")),
    )
    with op.batch_alter_table("spot_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_check_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_spot_check_community_id_spot_check_month"), ["community_id", "month"], unique=False
        )

    op.create_table(
        "spot_sample",
        sa.Column("check_id", fieldapp.db.Key(), nullable=False),
        sa.Column("household_id", fieldapp.db.Key(), nullable=False),
        sa.Column("district_id", fieldapp.db.Key(), nullable=False),
        sa.Column("answerer_id", fieldapp.db.Key(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stratum", sa.String(length=40), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["answerer_id"], ["user_account.id"], name=op.f("fk_spot_sample_answerer_id")),
        sa.ForeignKeyConstraint(["check_id"], ["spot_check.id"], name=op.f("fk_spot_sample_check_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_spot_sample_community_id")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_spot_sample_district_id")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_spot_sample_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_sample")),
        sa.UniqueConstraint("check_id", "household_id", name=op.f("uq_spot_sample_check_id_household_id")),
    )
    with op.batch_alter_table("spot_sample", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_sample_check_id"), ["check_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_sample_community_id"), ["community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_sample_household_id"), ["household_id"], unique=False)

    op.create_table(
        "fact_stamp",
        sa.Column("household_id", fieldapp.db.Key(), nullable=False),
        sa.Column("resident_id", fieldapp.db.Key(), nullable=True),
        sa.Column("field", sa.String(length=24), nullable=False),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("verified_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("verified_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("visit_id", fieldapp.db.Key(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_fact_stamp_community_id")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_fact_stamp_household_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_fact_stamp_resident_id")),
        sa.ForeignKeyConstraint(["verified_by_id"], ["user_account.id"], name=op.f("fk_fact_stamp_verified_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_stamp")),
    )
    with op.batch_alter_table("fact_stamp", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fact_stamp_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_fact_stamp_household_id_fact_stamp_verified_on"),
            ["household_id", "verified_on"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_fact_stamp_visit_id"), ["visit_id"], unique=False)

    op.create_table(
        "life_event",
        sa.Column("household_id", fieldapp.db.Key(), nullable=False),
        sa.Column("resident_id", fieldapp.db.Key(), nullable=True),
        sa.Column("other_household_id", fieldapp.db.Key(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("recorded_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("visit_id", fieldapp.db.Key(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("undone_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("undone_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_life_event_community_id")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_life_event_household_id")),
        sa.ForeignKeyConstraint(
            ["other_household_id"], ["household.id"], name=op.f("fk_life_event_other_household_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_life_event_recorded_by_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_life_event_resident_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["user_account.id"], name=op.f("fk_life_event_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_life_event")),
    )
    with op.batch_alter_table("life_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_life_event_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_life_event_household_id_life_event_happened_on"),
            ["household_id", "happened_on"],
            unique=False,
        )

    op.create_table(
        "not_same",
        sa.Column("one_id", fieldapp.db.Key(), nullable=False),
        sa.Column("other_id", fieldapp.db.Key(), nullable=False),
        sa.Column("said_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("said_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_not_same_community_id")),
        sa.ForeignKeyConstraint(["one_id"], ["resident.id"], name=op.f("fk_not_same_one_id")),
        sa.ForeignKeyConstraint(["other_id"], ["resident.id"], name=op.f("fk_not_same_other_id")),
        sa.ForeignKeyConstraint(["said_by_id"], ["user_account.id"], name=op.f("fk_not_same_said_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_not_same")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_not_same_one_id_other_id")),
    )
    with op.batch_alter_table("not_same", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_not_same_community_id"), ["community_id"], unique=False)

    op.create_table(
        "resident_merge",
        sa.Column("kept_id", fieldapp.db.Key(), nullable=False),
        sa.Column("gone_id", fieldapp.db.Key(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("merged_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("merged_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("undone_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("undone_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_resident_merge_community_id")),
        sa.ForeignKeyConstraint(["gone_id"], ["resident.id"], name=op.f("fk_resident_merge_gone_id")),
        sa.ForeignKeyConstraint(["kept_id"], ["resident.id"], name=op.f("fk_resident_merge_kept_id")),
        sa.ForeignKeyConstraint(["merged_by_id"], ["user_account.id"], name=op.f("fk_resident_merge_merged_by_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["user_account.id"], name=op.f("fk_resident_merge_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_merge")),
    )
    with op.batch_alter_table("resident_merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resident_merge_community_id"), ["community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resident_merge_gone_id"), ["gone_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resident_merge_kept_id"), ["kept_id"], unique=False)

    op.create_table(
        "spot_door",
        sa.Column("sample_id", fieldapp.db.Key(), nullable=False),
        sa.Column("has_agreed", sa.Boolean(), nullable=False),
        sa.Column("is_true", sa.Boolean(), nullable=True),
        sa.Column("knows_worker", sa.Boolean(), nullable=True),
        sa.Column("visit_happened", sa.Boolean(), nullable=True),
        sa.Column("was_told", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("asked_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("recorded_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("asked_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by_id"], ["user_account.id"], name=op.f("fk_spot_door_asked_by_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_spot_door_community_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["spot_sample.id"], name=op.f("fk_spot_door_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_door")),
        sa.UniqueConstraint("sample_id", name=op.f("uq_spot_door_sample_id")),
    )
    with op.batch_alter_table("spot_door", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_door_community_id"), ["community_id"], unique=False)

    op.create_table(
        "spot_question",
        sa.Column("sample_id", fieldapp.db.Key(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_spot_question_community_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["spot_sample.id"], name=op.f("fk_spot_question_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_question")),
        sa.UniqueConstraint("sample_id", "position", name=op.f("uq_spot_question_sample_id_position")),
    )
    with op.batch_alter_table("spot_question", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_question_community_id"), ["community_id"], unique=False)

    op.create_table(
        "spot_answer",
        sa.Column("question_id", fieldapp.db.Key(), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("choice", sa.Integer(), nullable=True),
        sa.Column("answered_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("recorded_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("entered_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_spot_answer_community_id")),
        sa.ForeignKeyConstraint(["entered_by_id"], ["user_account.id"], name=op.f("fk_spot_answer_entered_by_id")),
        sa.ForeignKeyConstraint(["question_id"], ["spot_question.id"], name=op.f("fk_spot_answer_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_answer")),
        sa.UniqueConstraint("question_id", name=op.f("uq_spot_answer_question_id")),
    )
    with op.batch_alter_table("spot_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_answer_community_id"), ["community_id"], unique=False)

    op.create_table(
        "spot_contest",
        sa.Column("question_id", fieldapp.db.Key(), nullable=False),
        sa.Column("word", sa.String(length=200), nullable=False),
        sa.Column("contested_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("contested_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("decision", sa.String(length=200), nullable=True),
        sa.Column("decided_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("decided_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_spot_contest_community_id")),
        sa.ForeignKeyConstraint(["contested_by_id"], ["user_account.id"], name=op.f("fk_spot_contest_contested_by_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_spot_contest_decided_by_id")),
        sa.ForeignKeyConstraint(["question_id"], ["spot_question.id"], name=op.f("fk_spot_contest_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_contest")),
        sa.UniqueConstraint("question_id", name=op.f("uq_spot_contest_question_id")),
    )
    with op.batch_alter_table("spot_contest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_contest_community_id"), ["community_id"], unique=False)

    with op.batch_alter_table("care_membership", schema=None) as batch_op:
        batch_op.add_column(sa.Column("raised_by", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("ended_why", sa.String(length=120), nullable=True))

    with op.batch_alter_table("community", schema=None) as batch_op:
        batch_op.add_column(sa.Column("registry_settings", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("has_notice", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("fact_change", schema=None) as batch_op:
        batch_op.alter_column("old", existing_type=sa.VARCHAR(length=200), type_=sa.Text(), existing_nullable=True)
        batch_op.alter_column("new", existing_type=sa.VARCHAR(length=200), type_=sa.Text(), existing_nullable=True)

    with op.batch_alter_table("fact_proposal", schema=None) as batch_op:
        batch_op.alter_column("saw", existing_type=sa.VARCHAR(length=200), type_=sa.Text(), existing_nullable=True)
        batch_op.alter_column("value", existing_type=sa.VARCHAR(length=200), type_=sa.Text(), existing_nullable=True)

    with op.batch_alter_table("resident", schema=None) as batch_op:
        batch_op.add_column(sa.Column("id_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("phone_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("origin", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("permit_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("permit_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("ethnic", sa.String(length=2), nullable=True))
        batch_op.add_column(sa.Column("marital", sa.String(length=2), nullable=True))
        batch_op.add_column(sa.Column("schooling", sa.String(length=2), nullable=True))
        batch_op.add_column(sa.Column("employment", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("workplace", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("guardian", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("guardian_phone", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("recorded_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("arrived_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("left_why", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("erased_at", fieldapp.db.Instant(timezone=True), nullable=True))
        batch_op.alter_column(
            "id_number", existing_type=sa.VARCHAR(length=18), type_=sa.String(length=200), existing_nullable=True
        )
        batch_op.alter_column(
            "phone", existing_type=sa.VARCHAR(length=32), type_=sa.String(length=200), existing_nullable=True
        )
        batch_op.create_index(
            batch_op.f("ix_resident_community_id_resident_id_hash"), ["community_id", "id_hash"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_resident_community_id_resident_name_resident_birth_date"),
            ["community_id", "name", "birth_date"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_resident_community_id_resident_phone_hash"), ["community_id", "phone_hash"], unique=False
        )
    with op.batch_alter_table("community", schema=None) as batch_op:
        batch_op.alter_column("registry_settings", server_default=None)
        batch_op.alter_column("has_notice", server_default=None)
    _seal()


SEALED = {"resident": ("id_number", "phone"), "fact_change": ("old", "new"), "fact_proposal": ("saw", "value")}
HASHES = {"id_number": "id_hash", "phone": "phone_hash"}
BATCH = 1000


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, sa.column("id", fieldapp.db.Key()), *(sa.column(column) for column in columns))


def _seal() -> None:
    """Seal what lay readable."""
    connection = op.get_bind()
    for name, columns in SEALED.items():
        hashes = [HASHES[column] for column in columns if column in HASHES]
        table = _table(name, *columns, *hashes)
        rows = connection.execute(sa.select(table.c.id, *(table.c[column] for column in columns))).all()
        changed = []
        for key, *values in rows:
            row = {"key": key, **{f"new_{hashed}": None for hashed in hashes}}
            for column, value in zip(columns, values, strict=True):
                row[f"new_{column}"] = value and keyring().seal(value, name, key, column)
                if value and column in HASHES:
                    row[f"new_{HASHES[column]}"] = keyring().digest(value)
            if any(values):
                changed.append(row)
        names = {column: sa.bindparam(f"new_{column}") for column in (*columns, *hashes)}
        for start in range(0, len(changed), BATCH):
            statement = sa.update(table).where(table.c.id == sa.bindparam("key")).values(names)
            connection.execute(statement, changed[start : start + BATCH])
    held = sa.table("held_item", sa.column("id", fieldapp.db.Key()), sa.column("fields", sa.JSON()))
    for key, fields in connection.execute(sa.select(held.c.id, held.c.fields)).all():
        sealed = [keyring().seal(json.dumps(fields), "held_item", key, "fields")]
        connection.execute(sa.update(held).where(held.c.id == key).values(fields=sealed))


def _open() -> None:
    """Make readable again what the older program cannot open."""
    connection = op.get_bind()
    for name, columns in SEALED.items():
        table = _table(name, *columns)
        for key, *values in connection.execute(sa.select(table.c.id, *(table.c[c] for c in columns))).all():
            clear = {c: opened(value, name, key, c) for c, value in zip(columns, values, strict=True)}
            if any(clear.values()):
                connection.execute(sa.update(table).where(table.c.id == key).values(clear))
    held = sa.table("held_item", sa.column("id", fieldapp.db.Key()), sa.column("fields", sa.JSON()))
    for key, fields in connection.execute(sa.select(held.c.id, held.c.fields)).all():
        if len(fields) == 1 and isinstance(fields[0], str) and is_sealed(fields[0]):
            clear = json.loads(opened(fields[0], "held_item", key, "fields") or "[]")
            connection.execute(sa.update(held).where(held.c.id == key).values(fields=clear))


def downgrade() -> None:
    """Take it back."""
    _open()
    with op.batch_alter_table("resident", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resident_community_id_resident_phone_hash"))
        batch_op.drop_index(batch_op.f("ix_resident_community_id_resident_name_resident_birth_date"))
        batch_op.drop_index(batch_op.f("ix_resident_community_id_resident_id_hash"))
        batch_op.alter_column(
            "phone", existing_type=sa.String(length=200), type_=sa.VARCHAR(length=32), existing_nullable=True
        )
        batch_op.alter_column(
            "id_number", existing_type=sa.String(length=200), type_=sa.VARCHAR(length=18), existing_nullable=True
        )
        batch_op.drop_column("erased_at")
        batch_op.drop_column("left_why")
        batch_op.drop_column("arrived_on")
        batch_op.drop_column("recorded_on")
        batch_op.drop_column("guardian_phone")
        batch_op.drop_column("guardian")
        batch_op.drop_column("workplace")
        batch_op.drop_column("employment")
        batch_op.drop_column("schooling")
        batch_op.drop_column("marital")
        batch_op.drop_column("ethnic")
        batch_op.drop_column("permit_until")
        batch_op.drop_column("permit_from")
        batch_op.drop_column("origin")
        batch_op.drop_column("phone_hash")
        batch_op.drop_column("id_hash")

    with op.batch_alter_table("fact_proposal", schema=None) as batch_op:
        batch_op.alter_column("value", existing_type=sa.Text(), type_=sa.VARCHAR(length=200), existing_nullable=True)
        batch_op.alter_column("saw", existing_type=sa.Text(), type_=sa.VARCHAR(length=200), existing_nullable=True)

    with op.batch_alter_table("fact_change", schema=None) as batch_op:
        batch_op.alter_column("new", existing_type=sa.Text(), type_=sa.VARCHAR(length=200), existing_nullable=True)
        batch_op.alter_column("old", existing_type=sa.Text(), type_=sa.VARCHAR(length=200), existing_nullable=True)

    with op.batch_alter_table("community", schema=None) as batch_op:
        batch_op.drop_column("has_notice")
        batch_op.drop_column("registry_settings")

    with op.batch_alter_table("care_membership", schema=None) as batch_op:
        batch_op.drop_column("ended_why")
        batch_op.drop_column("raised_by")

    with op.batch_alter_table("spot_contest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_contest_community_id"))

    op.drop_table("spot_contest")
    with op.batch_alter_table("spot_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_answer_community_id"))

    op.drop_table("spot_answer")
    with op.batch_alter_table("spot_question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_question_community_id"))

    op.drop_table("spot_question")
    with op.batch_alter_table("spot_door", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_door_community_id"))

    op.drop_table("spot_door")
    with op.batch_alter_table("resident_merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resident_merge_kept_id"))
        batch_op.drop_index(batch_op.f("ix_resident_merge_gone_id"))
        batch_op.drop_index(batch_op.f("ix_resident_merge_community_id"))

    op.drop_table("resident_merge")
    with op.batch_alter_table("not_same", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_not_same_community_id"))

    op.drop_table("not_same")
    with op.batch_alter_table("life_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_life_event_household_id_life_event_happened_on"))
        batch_op.drop_index(batch_op.f("ix_life_event_community_id"))

    op.drop_table("life_event")
    with op.batch_alter_table("fact_stamp", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fact_stamp_visit_id"))
        batch_op.drop_index(batch_op.f("ix_fact_stamp_household_id_fact_stamp_verified_on"))
        batch_op.drop_index(batch_op.f("ix_fact_stamp_community_id"))

    op.drop_table("fact_stamp")
    with op.batch_alter_table("spot_sample", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_sample_household_id"))
        batch_op.drop_index(batch_op.f("ix_spot_sample_community_id"))
        batch_op.drop_index(batch_op.f("ix_spot_sample_check_id"))

    op.drop_table("spot_sample")
    with op.batch_alter_table("spot_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_check_community_id_spot_check_month"))
        batch_op.drop_index(batch_op.f("ix_spot_check_community_id"))

    op.drop_table("spot_check")
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_community_id"))

    op.drop_table("erasure")
