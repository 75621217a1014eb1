"""The stores of production: clusters that can lose a server, with the names in the services' addresses."""

import re
import sys
from urllib.parse import urlsplit

from desk.topology.definitions import definitions

WITH_DATABASE = ("registry-gateway", "intake", "tracking", "notifier")


def setting(overlay, service, name):
    return overlay.secrets[service][f"DESK_{service.upper().replace('-', '_')}_{name}"]


def database_of(overlay, service):
    parts = urlsplit(setting(overlay, service, "DATABASE_URL"))
    return parts.path.strip("/"), parts.username, parts.password


def only(overlay, kind):
    (found,) = overlay.of(kind)
    return found["spec"]


def test_every_store_can_lose_a_server(production):
    postgres = only(production, "Cluster")
    assert postgres["instances"] == 3
    assert postgres["postgresql"]["synchronous"]["number"] == 1, "a commit is on a second server before it counts"
    assert only(production, "RabbitmqCluster")["replicas"] == 3
    assert only(production, "RedisReplication")["clusterSize"] == 3
    assert only(production, "RedisSentinel")["clusterSize"] == 3


def test_every_queue_is_replicated():
    kinds = {queue["name"]: queue["arguments"]["x-queue-type"] for queue in definitions()["queues"]}
    assert set(kinds.values()) == {"quorum"}, kinds


def test_every_service_has_the_database_and_the_role_of_its_address(production):
    cluster = only(production, "Cluster")
    made = {cluster["bootstrap"]["initdb"]["database"]: cluster["bootstrap"]["initdb"]["owner"]}
    made |= {each["spec"]["name"]: each["spec"]["owner"] for each in production.of("Database")}
    roles = {role["name"]: role["passwordSecret"]["name"] for role in cluster["managed"]["roles"]}
    for service in WITH_DATABASE:
        database, user, password = database_of(production, service)
        assert made.pop(database) == f"{user}_owner"
        assert production.secrets[roles.pop(user)] == {"username": user, "password": password}
        owner = urlsplit(production.secrets[f"{service}-owner"][f"DESK_{database.upper()}_OWNER_DATABASE_URL"])
        made_owner = {"username": owner.username, "password": owner.password}
        assert production.secrets[roles.pop(f"{user}_owner")] == made_owner
        assert any(f"hostssl {database} {user},{user}_owner " in line for line in cluster["postgresql"]["pg_hba"])
    assert (made, roles) == ({}, {})


def test_the_trials_databases_are_those_of_the_addresses(local):
    given = local.secrets["databases"]
    for service in WITH_DATABASE:
        database, user, password = database_of(local, service)
        assert database == user
        assert given[f"{database.upper()}_DB_PASSWORD"] == password


def test_redis_is_reached_by_the_sentinels_name_for_its_master(production):
    sentinel = only(production, "RedisSentinel")["redisSentinelConfig"]
    assert sentinel["redisReplicationName"] == production.one("RedisReplication", "redis")["metadata"]["name"]
    for service, name in (("captcha", "REDIS_URL"), *((each, "BUDGET_URL") for each in WITH_DATABASE)):
        parts = urlsplit(setting(production, service, name))
        assert parts.scheme == "rediss+sentinel"
        assert parts.path.split("/")[1] == sentinel["masterGroupName"]


def test_backups_of_the_databases_are_kept_for_thirty_days(production):
    assert only(production, "ObjectStore")["retentionPolicy"] == "30d"


def test_every_connection_of_production_is_encrypted(production):
    for name in ("captcha", "registry-gateway", "intake", "tracking", "notifier"):
        (container,) = production.workloads[name]["spec"]["containers"]
        given = {each["name"]: each.get("value") for each in container["env"]}
        assert (given["DESK_REQUIRE_TLS"], given["SSL_CERT_FILE"]) == ("1", "/run/authorities/authorities.pem"), name
        assert "/run/authorities" in {mount["mountPath"] for mount in container["volumeMounts"]}, name


def test_each_service_has_a_user_of_redis_that_sees_its_own_keys(overlay):
    users = dict(re.findall(r"^user (\S+) on >(\S+) ", overlay.secrets["redis"]["user.acl"], re.MULTILINE))
    for service, name in (("captcha", "REDIS_URL"), *((each, "BUDGET_URL") for each in WITH_DATABASE)):
        parts = urlsplit(setting(overlay, service, name))
        assert users[parts.username] == parts.password
    keys = re.findall(r"^user (\S+) .*?resetkeys ((?:~\S+ )+)", overlay.secrets["redis"]["user.acl"], re.MULTILINE)
    patterns = [pattern for _, found in keys for pattern in found.split()]
    assert len(patterns) == len(set(patterns)) == len({pattern.strip("~*") for pattern in patterns})


def test_the_brokers_users_have_the_passwords_of_the_addresses(overlay):
    for service in ("intake", "tracking", "notifier"):
        parts = urlsplit(setting(overlay, service, "BROKER_URL"))
        assert overlay.secrets["broker-passwords"][parts.username] == parts.password
    operator = urlsplit(setting(overlay, "topology", "AMQP_URL"))
    assert overlay.secrets["broker-passwords"][operator.username] == operator.password
    administrator = urlsplit(setting(overlay, "topology", "MANAGEMENT_URL"))
    written = overlay.secrets["rabbitmq-administrator"]
    assert (administrator.username, administrator.password) == (written["username"], written["password"])
    assert f"default_pass = {administrator.password}\n" in written["default_user.conf"]


def test_the_public_name_leads_to_the_gateway_over_tls(production):
    gateway = production.one("Gateway", "desk")["spec"]
    (https,) = (each for each in gateway["listeners"] if each["protocol"] == "HTTPS")
    certificate = production.one("Certificate", "desk")["spec"]
    assert https["tls"]["certificateRefs"] == [{"name": certificate["secretName"]}]
    route = production.one("HTTPRoute", "desk")["spec"]
    assert certificate["dnsNames"] == route["hostnames"] == [https["hostname"]]
    (backend,) = route["rules"][0]["backendRefs"]
    assert backend["port"] in {port["port"] for port in production.one("Service", backend["name"])["spec"]["ports"]}
    (redirect,) = production.one("HTTPRoute", "to-https")["spec"]["rules"][0]["filters"]
    assert redirect["requestRedirect"]["scheme"] == "https"


def test_secrets_that_only_the_operator_knows_are_requested_by_name(start, root):
    refused = start(sys.executable, str(root / "deploy" / "k8s" / "make-secrets"), "production", SMTP_PASSWORD="given")
    assert refused.returncode == 1
    assert "set S3_ACCESS_KEY, S3_SECRET_KEY, BACKUP_ACCESS_KEY" in refused.stderr
    assert "SMTP_PASSWORD" not in refused.stderr
    assert refused.stdout == ""
