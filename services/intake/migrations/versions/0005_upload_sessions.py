"""upload sessions and requests of replies in columns of their own

Replicas of the version before know only ``visit``, which held either; on PostgreSQL a trigger fills in what the other
version expects, so that both may run at once. A later migration drops the column and the trigger.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FUNCTION = """
CREATE FUNCTION attachment_visit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.visit IS NULL THEN
    NEW.visit := coalesce(NEW.reply_request_id, NEW.upload_session);
  ELSIF EXISTS (SELECT FROM request WHERE id = NEW.visit) THEN
    NEW.reply_request_id := NEW.visit;
  ELSE
    NEW.upload_session := NEW.visit;
  END IF;
  RETURN NEW;
END $$
"""
_TRIGGER = """
CREATE TRIGGER attachment_visit BEFORE INSERT ON attachment
FOR EACH ROW EXECUTE FUNCTION attachment_visit()
"""


def upgrade() -> None:
    with op.batch_alter_table("attachment") as batch:
        batch.add_column(sa.Column("upload_session", sa.String(length=36), nullable=True))
        batch.add_column(sa.Column("reply_request_id", sa.String(length=36), nullable=True))
        batch.create_foreign_key(
            op.f("fk_attachment_reply_request_id_request"), "request", ["reply_request_id"], ["id"]
        )
        batch.alter_column("visit", existing_type=sa.String(length=36), nullable=True)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(_TRIGGER)
    op.execute("UPDATE attachment SET reply_request_id = visit WHERE visit IN (SELECT id FROM request)")
    op.execute("UPDATE attachment SET upload_session = visit WHERE reply_request_id IS NULL")


def downgrade() -> None:
    op.execute("UPDATE attachment SET visit = coalesce(reply_request_id, upload_session) WHERE visit IS NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER attachment_visit ON attachment")
        op.execute("DROP FUNCTION attachment_visit()")
    with op.batch_alter_table("attachment") as batch:
        batch.alter_column("visit", existing_type=sa.String(length=36), nullable=False)
        batch.drop_constraint(op.f("fk_attachment_reply_request_id_request"), type_="foreignkey")
        batch.drop_column("reply_request_id")
        batch.drop_column("upload_session")
