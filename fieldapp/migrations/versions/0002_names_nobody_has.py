"""What was tried by names that nobody signs in by."""

import sqlalchemy as sa
from alembic import op

import fieldapp.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring an older database here."""
    op.create_table(
        "unknown_name",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("wait_until", fieldapp.db.Instant(timezone=True), nullable=True),
        sa.Column("tried_at", fieldapp.db.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_unknown_name")),
    )
    with op.batch_alter_table("unknown_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unknown_name_tried_at"), ["tried_at"], unique=False)


def downgrade() -> None:
    """Bring the database back to the version before."""
    with op.batch_alter_table("unknown_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unknown_name_tried_at"))

    op.drop_table("unknown_name")
