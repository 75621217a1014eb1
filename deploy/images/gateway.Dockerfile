# The public gateway: nginx with the pages inside.
ARG BASE=nginx:1.28-alpine

FROM ${BASE} AS root
USER root
RUN command -v nginx >/dev/null \
    || { apt-get update && apt-get install -y --no-install-recommends nginx wget && rm -rf /var/lib/apt/lists/*; }
RUN rm -rf /etc/nginx/sites-* /etc/nginx/conf.d /etc/nginx/snippets /etc/nginx/modules-* /usr/share/nginx/html /var/www
RUN --mount=type=bind,source=deploy/images/slim-root,target=/run/slim-root sh /run/slim-root

FROM scratch
COPY --from=root / /
LABEL org.opencontainers.image.title="service-desk-gateway" \
      org.opencontainers.image.description="Service Desk of the Hajj and Pilgrimage Organization: gateway and pages"
# The same two folders as in the checkout: nginx/start finds the pages in the folder next to it, and writes only under /tmp.
COPY gateway/nginx /usr/share/desk/nginx
COPY gateway/web /usr/share/desk/web
ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin
USER 10001:10001
# 8081 is for the orchestrator's probes alone; 8443 answers where a certificate is mounted at /run/tls.
EXPOSE 8080 8443 8081
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8081/health/live"]
ENTRYPOINT ["/usr/share/desk/nginx/start"]
CMD []
