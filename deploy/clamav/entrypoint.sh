#!/bin/sh
# Starts the scanner, and freshclam next to it where signatures can be fetched.
#
# Without any signature clamd does not start. The one that comes with the image (EICAR's test text) keeps it running until
# freshclam has fetched the real ones. On a machine without a network it is the only one: then the structural checks are all.
set -eu
cp -n /usr/share/desk/desk.ndb /var/lib/clamav/ 2>/dev/null || true
(
  # freshclam's daemon ends if its first fetch fails.
  until freshclam --config-file=/etc/clamav/freshclam.conf --daemon --foreground; do sleep 3600; done
) &
exec clamd --config-file=/etc/clamav/clamd.conf
