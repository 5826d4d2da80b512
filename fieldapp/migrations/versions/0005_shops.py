"""Shops and work units, their checks, what was found there."""

import sqlalchemy as sa
from alembic import op

import fieldapp.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring an older database here."""
    op.create_table(
        "premise",
        sa.Column("dwelling_id", fieldapp.db.Key(), nullable=False),
        sa.Column("credit_code", sa.String(length=24), nullable=True),
        sa.Column("trade", sa.String(length=24), nullable=True),
        sa.Column("contact", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=200), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("changed_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("changed_by_id", fieldapp.db.Key(), nullable=False),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user_account.id"], name=op.f("fk_premise_changed_by_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_premise_community_id")),
        sa.ForeignKeyConstraint(["dwelling_id"], ["dwelling.id"], name=op.f("fk_premise_dwelling_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_premise")),
        sa.UniqueConstraint("dwelling_id", name=op.f("uq_premise_dwelling_id")),
    )
    with op.batch_alter_table("premise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_premise_community_id"), ["community_id"], unique=False)

    op.create_table(
        "premise_check",
        sa.Column("dwelling_id", fieldapp.db.Key(), nullable=False),
        sa.Column("checked_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.Column("checker_id", fieldapp.db.Key(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("sentence", sa.String(length=300), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["checker_id"], ["user_account.id"], name=op.f("fk_premise_check_checker_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_premise_check_community_id")),
        sa.ForeignKeyConstraint(["dwelling_id"], ["dwelling.id"], name=op.f("fk_premise_check_dwelling_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_premise_check")),
    )
    with op.batch_alter_table("premise_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_premise_check_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_premise_check_dwelling_id_premise_check_checked_on"),
            ["dwelling_id", "checked_on"],
            unique=False,
        )

    op.create_table(
        "premise_finding",
        sa.Column("dwelling_id", fieldapp.db.Key(), nullable=False),
        sa.Column("check_id", fieldapp.db.Key(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("done_by_id", fieldapp.db.Key(), nullable=True),
        sa.Column("id", fieldapp.db.Key(), nullable=False),
        sa.Column("community_id", fieldapp.db.Key(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["premise_check.id"], name=op.f("fk_premise_finding_check_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_premise_finding_community_id")),
        sa.ForeignKeyConstraint(["done_by_id"], ["user_account.id"], name=op.f("fk_premise_finding_done_by_id")),
        sa.ForeignKeyConstraint(["dwelling_id"], ["dwelling.id"], name=op.f("fk_premise_finding_dwelling_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_premise_finding")),
    )
    with op.batch_alter_table("premise_finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_premise_finding_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_premise_finding_community_id_premise_finding_done_at"),
            ["community_id", "done_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_premise_finding_dwelling_id"), ["dwelling_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("premise_finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_premise_finding_dwelling_id"))
        batch_op.drop_index(batch_op.f("ix_premise_finding_community_id_premise_finding_done_at"))
        batch_op.drop_index(batch_op.f("ix_premise_finding_community_id"))

    op.drop_table("premise_finding")
    with op.batch_alter_table("premise_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_premise_check_dwelling_id_premise_check_checked_on"))
        batch_op.drop_index(batch_op.f("ix_premise_check_community_id"))

    op.drop_table("premise_check")
    with op.batch_alter_table("premise", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_premise_community_id"))

    op.drop_table("premise")
