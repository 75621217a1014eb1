# The malware scanner ClamAV from Debian's packages, for the sovereign build.
ARG BASE=debian:trixie-slim
FROM ${BASE}
RUN groupadd --system --gid 999 clamav && useradd --system --uid 999 --gid 999 --home-dir /var/lib/clamav clamav \
    && apt-get update && apt-get install -y --no-install-recommends clamav-daemon clamav-freshclam clamdscan \
    && rm -rf /var/lib/apt/lists/* && install -d -o clamav -g clamav /var/lib/clamav
COPY deploy/clamav/clamd.conf deploy/clamav/freshclam.conf /etc/clamav/
COPY deploy/clamav/desk.ndb /usr/share/desk/desk.ndb
COPY --chmod=755 deploy/clamav/entrypoint.sh /entrypoint.sh
USER 999:999
EXPOSE 3310
ENTRYPOINT ["/entrypoint.sh"]
