# vm-launch as PID 1 of a container. Three stages: `build` compiles on Debian 13, `test` runs the unit tests there (only
# when asked for: --target test), the last one is what runs. In every stage what changes seldom comes first, so that a
# change of the sources repeats no installation.

FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts/deps scripts/deps
COPY scripts/lib scripts/lib
RUN scripts/deps build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY base base
COPY rom rom
COPY qmp qmp
COPY netsetup netsetup
COPY netserve netserve
COPY screen screen
COPY ipxescript ipxescript
COPY bootwatch bootwatch
COPY control control
COPY launcher launcher
COPY bench bench
COPY tests/CMakeLists.txt tests/CMakeLists.txt
COPY tests/unit tests/unit
COPY tests/fuzz/CMakeLists.txt tests/fuzz/CMakeLists.txt
RUN cmake --preset release && cmake --build --preset release --target vm-launch \
    && cmake --install build/release --strip --prefix /usr

FROM build AS test
RUN apt-get update && apt-get install -y --no-install-recommends qemu-system-x86 seabios ipxe-qemu qemu-utils \
    && rm -rf /var/lib/apt/lists/*
RUN cmake --build --preset release --target unit_tests -- -k 0
COPY tests/golden tests/golden
COPY docs docs
# Without those that make network namespaces: building an image gives no right to.
RUN ctest --test-dir build/release --output-on-failure --exclude-regex unit_netsetup

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        qemu-system-x86 qemu-system-arm qemu-utils seabios ipxe-qemu ipxe ovmf qemu-efi-aarch64 swtpm \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log \
    # Debian 13 keeps QEMU's option ROMs elsewhere; this is where guides and older settings look for them.
    && mkdir -p /usr/lib/ipxe && ln -s ../../share/qemu /usr/lib/ipxe/qemu \
    # QEMU runs as this user: vm-launch looks for the name.
    && useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qemu
COPY --from=build /usr/bin/vm-launch /usr/bin/vm-launch
LABEL org.opencontainers.image.title="vm-launch" \
      org.opencontainers.image.description="Network-boots a virtual machine with one command, straight on QEMU" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="debian:trixie-slim"
# Unhealthy: QEMU does not answer, or the VM was stopped by an error. HEALTH_STAGE=os waits for the operating system.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["vm-launch", "health"]
ENTRYPOINT ["vm-launch"]
