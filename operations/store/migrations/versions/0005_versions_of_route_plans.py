"""Versions of route plans: what each change made of a plan, and which version the reps see

Revision: 0005, follows 0004.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("route_plan", sa.Column("travel", _JSON, nullable=True))
    op.add_column("route_plan", sa.Column("running", _JSON, nullable=True))
    op.add_column("route_plan", sa.Column("published_version", sa.Integer(), nullable=True))
    op.add_column("route_plan", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("route_plan", sa.Column("published_by", sa.String(length=64), nullable=True))
    op.create_table(
        "route_plan_version",
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("feasible", sa.Boolean(), nullable=False),
        sa.Column("assigned_visits", sa.Integer(), nullable=False),
        sa.Column("unassigned_visits", sa.Integer(), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("solve_s", sa.Double(), nullable=False),
        sa.Column("problem", _JSON, nullable=False),
        sa.Column("report", _JSON, nullable=False),
        sa.Column("change", _JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_route_plan_version_version_sign")),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["route_plan.id"],
            name=op.f("fk_route_plan_version_plan_id_route_plan"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plan_id", "version", name=op.f("pk_route_plan_version")),
    )


def downgrade() -> None:
    op.drop_table("route_plan_version")
    for column in ("published_by", "published_at", "published_version", "running", "travel"):
        op.drop_column("route_plan", column)
