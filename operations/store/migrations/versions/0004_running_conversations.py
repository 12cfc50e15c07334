"""Running conversations of the live channel, and the hints given in them

Revision: 0004, follows 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "live_conversation",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner_code", sa.String(length=64), nullable=False),
        sa.Column("region_code", sa.String(length=64), nullable=True),
        sa.Column("situation", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_event", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 0 AND last_event >= 0", name=op.f("ck_live_conversation_counts_sign")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_live_conversation_region_code_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_conversation")),
    )
    with op.batch_alter_table("live_conversation", schema=None) as batch_op:
        batch_op.create_index("ix_live_conversation_owner_code_touched_at", ["owner_code", "touched_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_live_conversation_touched_at"), ["touched_at"], unique=False)

    op.create_table(
        "live_event",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hint_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["live_conversation.id"],
            name=op.f("fk_live_event_conversation_id_live_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["hint_id"], ["hint.id"], name=op.f("fk_live_event_hint_id_hint"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation_id", "number", name=op.f("pk_live_event")),
    )
    with op.batch_alter_table("live_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_event_hint_id"), ["hint_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("live_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_live_event_hint_id"))

    op.drop_table("live_event")
    with op.batch_alter_table("live_conversation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_live_conversation_touched_at"))
        batch_op.drop_index("ix_live_conversation_owner_code_touched_at")

    op.drop_table("live_conversation")
