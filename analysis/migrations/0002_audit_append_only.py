from django.db import migrations

FORWARDS = """
CREATE FUNCTION analysis_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit is append-only.';
END
$$;
CREATE TRIGGER analysis_audit_append_only BEFORE UPDATE OR DELETE ON analysis_audit
    FOR EACH ROW EXECUTE FUNCTION analysis_audit_refuse();
"""
BACKWARDS = """
DROP TRIGGER analysis_audit_append_only ON analysis_audit;
DROP FUNCTION analysis_audit_refuse();
"""


class Migration(migrations.Migration):
    """The audit refuses UPDATE and DELETE, whoever asks."""

    dependencies = [("analysis", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
