"""Offline: receipts, what waits for the director, what changed, facts and who changed them."""

import sqlalchemy as sa
from alembic import op

import fieldapp.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring an older database here."""
    op.create_table(
        "epoch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", fieldapp.db.Key(), nullable=False),
        sa.Column("since", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("backed_up_until", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epoch")),
    )
    op.create_table(
        "community_change",
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_community_change_community_id")),
        sa.PrimaryKeyConstraint("community_id", name=op.f("pk_community_change")),
    )
    op.create_table(
        "household_change",
        sa.Column("household_id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_household_change_community_id")),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_household_change")),
    )
    with op.batch_alter_table("household_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_household_change_community_id_household_change_number"),
            ["community_id", "number"],
            unique=False,
        )

    op.create_table(
        "phone_seal",
        sa.Column("user_id", fieldapp.db.Key(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_phone_seal_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_phone_seal")),
    )
    op.create_table(
        "receipt",
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("user_id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=True),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("phone", fieldapp.db.Key(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("clock_ahead", sa.Integer(), nullable=True),
        sa.Column("received_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_receipt_community_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_receipt_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_receipt_user_id_receipt_received_at"), ["user_id", "received_at"], unique=False
        )

    op.create_table(
        "held_item",
        sa.Column("user_id", fieldapp.db.Key(), nullable=False),
        sa.Column("household_id", fieldapp.db.Key(), nullable=True),
        sa.Column("visit_id", fieldapp.db.Key(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("made_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("received_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("decided_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("decided_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("is_accepted", sa.Boolean(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_held_item_community_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_held_item_decided_by_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_held_item_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_item")),
    )
    with op.batch_alter_table("held_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_held_item_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_held_item_community_id_held_item_decided_at"), ["community_id", "decided_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_held_item_visit_id"), ["visit_id"], unique=False)

    op.create_table(
        "fact_change",
        sa.Column("household_id", fieldapp.db.Key(), nullable=False),
        sa.Column("resident_id", fieldapp.db.Key(), nullable=True),
        sa.Column("field", sa.String(length=24), nullable=False),
        sa.Column("old", sa.String(length=200), nullable=True),
        sa.Column("new", sa.String(length=200), nullable=True),
        sa.Column("changed_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("changed_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("visit_id", fieldapp.db.Key(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user_account.id"], name=op.f("fk_fact_change_changed_by_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_fact_change_community_id")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_fact_change_household_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_fact_change_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_change")),
    )
    with op.batch_alter_table("fact_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fact_change_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_fact_change_household_id_fact_change_changed_at"),
            ["household_id", "changed_at"],
            unique=False,
        )

    op.create_table(
        "fact_proposal",
        sa.Column("household_id", fieldapp.db.Key(), nullable=False),
        sa.Column("resident_id", fieldapp.db.Key(), nullable=True),
        sa.Column("field", sa.String(length=24), nullable=False),
        sa.Column("saw", sa.String(length=200), nullable=True),
        sa.Column("value", sa.String(length=200), nullable=True),
        sa.Column("proposed_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("proposed_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("decided_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("decided_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("is_accepted", sa.Boolean(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_fact_proposal_community_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_fact_proposal_decided_by_id")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_fact_proposal_household_id")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["user_account.id"], name=op.f("fk_fact_proposal_proposed_by_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_fact_proposal_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_proposal")),
    )
    with op.batch_alter_table("fact_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fact_proposal_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_fact_proposal_household_id_fact_proposal_decided_at"),
            ["household_id", "decided_at"],
            unique=False,
        )


def downgrade() -> None:
    """Bring the database back to the version before."""
    with op.batch_alter_table("fact_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fact_proposal_household_id_fact_proposal_decided_at"))
        batch_op.drop_index(batch_op.f("ix_fact_proposal_community_id"))

    op.drop_table("fact_proposal")
    with op.batch_alter_table("fact_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fact_change_household_id_fact_change_changed_at"))
        batch_op.drop_index(batch_op.f("ix_fact_change_community_id"))

    op.drop_table("fact_change")
    with op.batch_alter_table("held_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_held_item_visit_id"))
        batch_op.drop_index(batch_op.f("ix_held_item_community_id_held_item_decided_at"))
        batch_op.drop_index(batch_op.f("ix_held_item_community_id"))

    op.drop_table("held_item")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipt_user_id_receipt_received_at"))

    op.drop_table("receipt")
    op.drop_table("phone_seal")
    with op.batch_alter_table("household_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_household_change_community_id_household_change_number"))

    op.drop_table("household_change")
    op.drop_table("community_change")
    op.drop_table("epoch")
