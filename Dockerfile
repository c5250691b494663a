# The binary and what it links, and nothing else: no shell, no package manager. Runs as nobody in particular.
#   docker build -t funcatron .
# scripts/image.sh builds the same image from target/release, where there is no registry to fetch from.
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin funcatron && scripts/rootfs.sh target/release/funcatron /rootfs

FROM scratch
COPY --from=build /rootfs/system/ /
COPY --from=build --chown=65532:65532 /rootfs/state/ /
USER 65532:65532
ENV HOME=/var/lib/funcatron XDG_CACHE_HOME=/var/cache
WORKDIR /var/lib/funcatron
STOPSIGNAL SIGTERM
ENTRYPOINT ["/bin/funcatron"]
