# vm-launch as PID 1 of a container, on Debian 13. `system` is what it runs on, `build` compiles it, and the last stage joins the two.
# With --target test, `units` compiles the unit tests and `test` runs them on `system`; with --target package, `package` makes the
# packages. In every stage what changes seldom comes first, so that a change of the sources repeats no installation.
#
# `docker buildx build --platform linux/arm64` compiles on the machine that it runs on, for the other one; what runs on `system` is
# emulated (scripts/container has no registry, and names the two bases itself).
ARG SYSTEM_BASE=debian:trixie-slim
ARG BUILD_BASE=debian:trixie-slim

FROM $SYSTEM_BASE AS system
COPY container /usr/share/vm-launch/container
# Removing files in a later layer would not make this one smaller.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        qemu-system-x86 qemu-system-arm qemu-utils seabios ipxe-qemu ipxe ovmf qemu-efi-aarch64 swtpm \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log \
    && cd /usr/share/vm-launch/container \
    && ./pack-firmware /usr/share/qemu/firmware/*-aarch64*.json \
    && ./trim removed \
    # Debian 13 keeps QEMU's option ROMs elsewhere; this is where guides and older settings look for them.
    && ln -s ../../share/qemu /usr/lib/ipxe/qemu \
    # QEMU runs as this user where a user of each VM's own is not mapped: vm-launch looks for the name.
    && useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qemu

FROM --platform=$BUILDPLATFORM $BUILD_BASE AS build
ARG TARGETARCH
WORKDIR /src
COPY scripts/deps scripts/deps
COPY scripts/lib scripts/lib
RUN scripts/deps build "$TARGETARCH" && apt-get install -y --no-install-recommends ccache && rm -rf /var/lib/apt/lists/*
# scripts/container sets this to ccache, and mounts a folder there that outlasts the build.
ARG COMPILER_LAUNCHER=
ENV CMAKE_CXX_COMPILER_LAUNCHER=$COMPILER_LAUNCHER CCACHE_DIR=/var/cache/ccache CCACHE_MAXSIZE=1G
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY packaging packaging
COPY base base
COPY rom rom
COPY qmp qmp
COPY netsetup netsetup
COPY netserve netserve
COPY screen screen
COPY ipxescript ipxescript
COPY bootwatch bootwatch
COPY capture capture
COPY control control
COPY launcher launcher
COPY bench bench
COPY tests/CMakeLists.txt tests/CMakeLists.txt
COPY tests/unit tests/unit
COPY tests/fuzz/CMakeLists.txt tests/fuzz/CMakeLists.txt
RUN cmake --preset release --toolchain cmake/cross.cmake "-DVML_ARCH=$TARGETARCH" && cmake --build --preset release --target vm-launch \
    && cmake --install build/release --strip --prefix /usr --component program

FROM build AS package
COPY scripts/package scripts/sbom scripts/
RUN apt-get update && scripts/deps package && rm -rf /var/lib/apt/lists/*
COPY README.md LICENSE CHANGELOG.md ./
COPY docs docs
COPY examples examples
COPY integrations integrations
RUN scripts/package

FROM build AS units
RUN cmake --build --preset release --target unit_tests -- -k 0

FROM system AS test
COPY --from=units /src /src
COPY tests/golden /src/tests/golden
COPY tests/captures /src/tests/captures
COPY docs /src/docs
WORKDIR /src/build/release/tests/unit
# Without those that make network namespaces: building an image gives no right to.
RUN test -x unit_base || exit 1; failed=; \
    for unit in unit_*; do \
        if [ -x "$unit" ] && [ "$unit" != unit_netsetup ]; then echo "$unit"; "./$unit" || failed="$failed $unit"; fi; \
    done; \
    [ -z "$failed" ] || { echo "failed:$failed" && exit 1; }

FROM system
COPY --from=build /usr/bin/vm-launch /usr/bin/vm-launch
# Docker-VM-Runner's name for `vm-launch guest-exec`.
RUN ln -s vm-launch /usr/bin/guest-exec
LABEL org.opencontainers.image.title="vm-launch" \
      org.opencontainers.image.description="Network-boots a virtual machine with one command, straight on QEMU" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="debian:trixie-slim"
# Unhealthy: QEMU does not answer, or the VM was stopped by an error. HEALTH_STAGE=os waits for the operating system.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["vm-launch", "health"]
ENTRYPOINT ["vm-launch"]
