"""Review of the library: who submitted, reviewed and merged what; credits; files that wait for their import

Revision: 0003, follows 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("library_entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("submitted_by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("reviewed_by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("review_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("merged_into", sa.String(length=80), nullable=True))
        batch_op.add_column(
            sa.Column(
                "co_authors",
                sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
                # a plain text, so that SQLite adds the column in place: a table built anew would drop the old one, and
                # the lines and sayings that refer to it with it
                server_default="[]",
                nullable=False,
            )
        )

    op.create_table(
        "library_credit",
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("entry_key", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("reward_cny", sa.Double(), nullable=False),
        sa.Column("credited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("credited_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_library_credit_language_known")),
        sa.CheckConstraint("reason IN ('accepted', 'merged')", name=op.f("ck_library_credit_reason_known")),
        sa.CheckConstraint("reward_cny >= 0", name=op.f("ck_library_credit_reward_sign")),
        sa.PrimaryKeyConstraint("author", "entry_key", name=op.f("pk_library_credit")),
    )
    with op.batch_alter_table("library_credit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_credit_credited_at"), ["credited_at"], unique=False)

    op.create_table(
        "library_import",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.Integer(), nullable=True),
        sa.Column("updated", sa.Integer(), nullable=True),
        sa.Column("unchanged", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_import")),
    )
    with op.batch_alter_table("library_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_import_asked_at"), ["asked_at"], unique=False)


def downgrade() -> None:
    op.drop_table("library_import")
    op.drop_table("library_credit")
    for column in (
        "co_authors",
        "merged_into",
        "review_reason",
        "reviewed_by",
        "reviewed_at",
        "submitted_by",
        "submitted_at",
    ):
        op.drop_column("library_entry", column)
