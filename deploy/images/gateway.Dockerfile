# The public door: nginx with the pages inside.
ARG BASE=nginx:1.28-alpine

FROM ${BASE} AS root
USER root
RUN command -v nginx >/dev/null \
    || { apt-get update && apt-get install -y --no-install-recommends nginx-light wget && rm -rf /var/lib/apt/lists/*; }
RUN rm -rf /etc/nginx/sites-* /etc/nginx/conf.d /etc/nginx/snippets /etc/nginx/modules-* /usr/share/nginx/html /var/www
RUN --mount=type=bind,source=deploy/images/slim-root,target=/run/slim-root sh /run/slim-root

FROM scratch
COPY --from=root / /
LABEL org.opencontainers.image.title="service-desk-gateway" \
      org.opencontainers.image.description="Service Desk of the Hajj and Pilgrimage Organization: gateway and pages"
COPY gateway/nginx/nginx.conf /etc/nginx/nginx.conf
COPY gateway/web /usr/share/desk/web
ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
ENTRYPOINT ["nginx", "-g", "daemon off;"]
CMD []
