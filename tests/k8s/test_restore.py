"""The backup and the restore of docs/operations.md, in the cluster."""

from k8s.cluster import SERVICES, Cluster
from k8s.story import ANSWER, story
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.published_desk import Province, RetryingApplicant

DATABASES = ("notifier", "tracking", "registry_gateway", "intake")
WITH_KEYS = ("notifier", "tracking", "intake")
AGAIN = "UPDATE outbox SET sent_at = NULL, next_try_at = now() WHERE sent_at > now() - interval '1 hour' AND body <> ''"
DUMPED = "/tmp"  # noqa: S108 - of the pod, which is its own


def in_postgres(cluster: Cluster, command: str) -> str:
    """Run a command of the shell in PostgreSQL's pod."""
    return cluster.kubectl("exec", "postgres-0", "--", "sh", "-ec", command, seconds=300)


def test_a_restored_backup_has_the_requests_of_its_time_and_their_keys(
    cluster: Cluster, applicant: RetryingApplicant, province: Province
):
    code = applicant.submit(PDF)
    wait_for(lambda: province.of(code), 120)
    province.report(code, "case-answered", 1, text=ANSWER)
    applicant.sees(code, "answered")
    for name in DATABASES:
        in_postgres(cluster, f"pg_dump -U postgres -Fc --exclude-table-data=data_key {name} >{DUMPED}/{name}.dump")
    for name in WITH_KEYS:
        in_postgres(cluster, f"pg_dump -U postgres -Fc --data-only --table=data_key {name} >{DUMPED}/{name}.keys")

    lost = applicant.submit(PDF)
    wait_for(lambda: province.of(lost), 120)
    cluster.scale(SERVICES, 0)
    for name in DATABASES:
        in_postgres(cluster, f"pg_restore -U postgres --clean --if-exists -d {name} <{DUMPED}/{name}.dump")
    for name in WITH_KEYS:
        in_postgres(cluster, f"psql -U postgres -c 'TRUNCATE data_key' {name}")
        in_postgres(cluster, f"pg_restore -U postgres --data-only -d {name} <{DUMPED}/{name}.keys")
        in_postgres(cluster, f'psql -U postgres -c "{AGAIN}" {name}')
    cluster.scale(SERVICES, 1)
    cluster.wait_ready()

    story(applicant, province)
    assert cluster.kubectl("exec", "deployment/tracking", "--", "desk-privacy", "repeat").strip() == "[]"
    assert applicant.sees(code, "answered")["answer"]["text"] == ANSWER
    assert applicant.track(lost).status_code == 404
