"""Which kind of basemap a community has, and its key at 天地图."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring an older database here: tiles by an address have been WGS-84 so far."""
    with op.batch_alter_table("community", schema=None) as batch_op:
        batch_op.add_column(sa.Column("basemap", sa.String(length=12), nullable=False, server_default="none"))
        batch_op.add_column(sa.Column("tiles_key", sa.String(length=64), nullable=True))
    op.execute("UPDATE community SET basemap = 'wgs84' WHERE tiles_url IS NOT NULL")
    with op.batch_alter_table("community", schema=None) as batch_op:
        batch_op.alter_column("basemap", server_default=None)


def downgrade() -> None:
    """Take it back. Tiles in another datum would be drawn in the wrong place by what comes before: their address goes."""
    op.execute("UPDATE community SET tiles_url = NULL WHERE basemap <> 'wgs84'")
    with op.batch_alter_table("community", schema=None) as batch_op:
        batch_op.drop_column("tiles_key")
        batch_op.drop_column("basemap")
