"""Plans of a division and their steps; which entrances a plan put into which district; from when a district is there."""

import sqlalchemy as sa
from alembic import op

import fieldapp.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring an older database here."""
    op.create_table(
        "plan",
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("error", sa.String(length=32), nullable=True),
        sa.Column("alive_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=True),
        sa.Column("created_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("created_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("changed_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("changed_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("published_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("published_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user_account.id"], name=op.f("fk_plan_changed_by_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_plan_community_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_plan_created_by_id")),
        sa.ForeignKeyConstraint(["published_by_id"], ["user_account.id"], name=op.f("fk_plan_published_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_community_id"), ["community_id"], unique=False)
        is_open = sa.text("state IN ('computing', 'draft', 'waiting')")
        batch_op.create_index(
            "uq_plan_open", ["community_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
        )

    op.create_table(
        "plan_step",
        sa.Column("plan_id", fieldapp.db.Key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("deed", sa.String(length=16), nullable=False),
        sa.Column("at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user_account.id"], name=op.f("fk_plan_step_by_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_plan_step_community_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_step_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_step")),
        sa.UniqueConstraint("plan_id", "number", name=op.f("uq_plan_step_plan_id_number")),
    )
    with op.batch_alter_table("plan_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_step_community_id"), ["community_id"], unique=False)

    op.create_table(
        "entrance_district",
        sa.Column("building_id", fieldapp.db.Key(), nullable=False),
        sa.Column("entrance", sa.Integer(), nullable=False),
        sa.Column("district_id", fieldapp.db.Key(), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_entrance_district_building_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_entrance_district_community_id")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_entrance_district_district_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrance_district")),
        sa.UniqueConstraint("building_id", "entrance", name=op.f("uq_entrance_district_building_id_entrance")),
    )
    with op.batch_alter_table("entrance_district", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entrance_district_community_id"), ["community_id"], unique=False)

    with op.batch_alter_table("district", schema=None) as batch_op:
        batch_op.add_column(sa.Column("opened_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("district", schema=None) as batch_op:
        batch_op.drop_column("opened_on")
    for table in ("entrance_district", "plan_step", "plan"):
        op.drop_table(table)
