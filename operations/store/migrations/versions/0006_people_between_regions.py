"""People between regions: what each agrees to, days off, decided lendings, and the state of a proposal

Revision: 0006, follows 0005.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _stamps() -> list[sa.Column[Any]]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "lending_terms",
        sa.Column("person_code", sa.String(length=64), nullable=False),
        sa.Column("refused_regions", _JSON, nullable=False),
        sa.Column("wished_regions", _JSON, nullable=False),
        sa.Column("refused_weekdays", _JSON, nullable=False),
        sa.Column("wished_weekdays", _JSON, nullable=False),
        sa.Column("rest_weekdays", _JSON, nullable=False),
        sa.Column("max_moves", sa.Integer(), nullable=True),
        sa.Column("max_days", sa.Integer(), nullable=True),
        *_stamps(),
        sa.CheckConstraint("max_moves >= 0 AND max_days >= 0", name=op.f("ck_lending_terms_limits_sign")),
        sa.ForeignKeyConstraint(
            ["person_code"], ["person.code"], name=op.f("fk_lending_terms_person_code_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_code", name=op.f("pk_lending_terms")),
    )

    op.create_table(
        "day_off",
        sa.Column("person_code", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        *_stamps(),
        sa.ForeignKeyConstraint(
            ["person_code"], ["person.code"], name=op.f("fk_day_off_person_code_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_code", "day", name=op.f("pk_day_off")),
    )
    with op.batch_alter_table("day_off", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_day_off_day"), ["day"], unique=False)

    op.create_table(
        "lent_day",
        sa.Column("person_code", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_region", sa.String(length=64), nullable=False),
        sa.Column("to_region", sa.String(length=64), nullable=False),
        sa.Column("cover_code", sa.String(length=64), nullable=True),
        sa.Column("reallocation_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        *_stamps(),
        sa.CheckConstraint("from_region <> to_region", name=op.f("ck_lent_day_two_regions")),
        sa.ForeignKeyConstraint(["cover_code"], ["person.code"], name=op.f("fk_lent_day_cover_code_person")),
        sa.ForeignKeyConstraint(["from_region"], ["region.code"], name=op.f("fk_lent_day_from_region_region")),
        sa.ForeignKeyConstraint(["person_code"], ["person.code"], name=op.f("fk_lent_day_person_code_person")),
        sa.ForeignKeyConstraint(
            ["reallocation_id"],
            ["staff_reallocation.id"],
            name=op.f("fk_lent_day_reallocation_id_staff_reallocation"),
        ),
        sa.ForeignKeyConstraint(["to_region"], ["region.code"], name=op.f("fk_lent_day_to_region_region")),
        sa.PrimaryKeyConstraint("person_code", "day", name=op.f("pk_lent_day")),
    )
    with op.batch_alter_table("lent_day", schema=None) as batch_op:
        batch_op.create_index("ix_lent_day_day_to_region", ["day", "to_region"], unique=False)
        batch_op.create_index(batch_op.f("ix_lent_day_reallocation_id"), ["reallocation_id"], unique=False)

    # plain texts, so that SQLite adds the columns in place
    op.add_column(
        "staff_reallocation", sa.Column("status", sa.String(length=20), server_default="proposed", nullable=False)
    )
    op.add_column("staff_reallocation", sa.Column("days", sa.Integer(), server_default="1", nullable=False))
    op.add_column("staff_reallocation", sa.Column("decision_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("staff_reallocation", "decision_reason")
    op.drop_column("staff_reallocation", "days")
    op.drop_column("staff_reallocation", "status")

    with op.batch_alter_table("lent_day", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lent_day_reallocation_id"))
        batch_op.drop_index("ix_lent_day_day_to_region")
    op.drop_table("lent_day")

    with op.batch_alter_table("day_off", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_day_off_day"))
    op.drop_table("day_off")
    op.drop_table("lending_terms")
