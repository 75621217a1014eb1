# A mail catcher from Debian's packages, for the sovereign build: keeps every email in a Maildir and sends none.
ARG BASE=debian:trixie-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends python3-aiosmtpd && rm -rf /var/lib/apt/lists/* \
    && install -d -o nobody /mail
USER nobody
EXPOSE 1025
CMD ["python3", "-m", "aiosmtpd", "--nosetuid", "--listen", "0.0.0.0:1025", "--class", "aiosmtpd.handlers.Mailbox", "/mail/box"]
