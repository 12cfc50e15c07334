"""What hints teach: the candidates and propensities of a choice, and drafts made from feedback

Revision: 0002, follows 0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults are plain texts and columns are dropped one by one: anything else would build the tables anew on SQLite,
    # and dropping the old ones would take the rows that refer to them along.
    with op.batch_alter_table("hint", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("candidates", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
        )
        batch_op.add_column(sa.Column("superseded", sa.Boolean(), server_default="0", nullable=False))
        batch_op.create_index("ix_hint_use", ["asked_at", "superseded", "region_code", "id"], unique=False)

    with op.batch_alter_table("hint_suggestion", schema=None) as batch_op:
        # until now nothing was left to chance
        batch_op.add_column(sa.Column("propensity", sa.Double(), server_default="1", nullable=False))

    with op.batch_alter_table("hint_feedback", schema=None) as batch_op:
        batch_op.add_column(sa.Column("draft_key", sa.String(length=80), nullable=True))
        batch_op.create_index(batch_op.f("ix_hint_feedback_given_at"), ["given_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_hint_feedback_visit_id"), ["visit_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_hint_feedback_visit_id", "hint_feedback")
    op.drop_index("ix_hint_feedback_given_at", "hint_feedback")
    op.drop_column("hint_feedback", "draft_key")
    op.drop_column("hint_suggestion", "propensity")
    op.drop_index("ix_hint_use", "hint")
    op.drop_column("hint", "superseded")
    op.drop_column("hint", "candidates")
