"""A container with a memory limit: MEMORY=max lives within it, and a death by it is named."""

from containers import Container

LIMIT = ("--memory", "400m", "--memory-swap", "400m", "-e", "CPUS=1", "-e", "IPXE_ENABLE=1")
# Every page of the guest's memory is taken at once, as by a guest that uses all of it.
WHOLE = ("-e", "EXTRA_ARGS=-mem-prealloc")


def test_max_lives_within_the_containers_limit(image, netboot):
    more = ("-e", "MEMORY=max", "-v", f"{netboot()}:/netboot:ro", "-e", "NETBOOT_DIR=/netboot", "-e", "UNTIL=kernel")
    with Container(*LIMIT, *WHOLE, *more) as container:
        assert container.wait() == 0
        assert "the guest came to kernel" in container.text


def test_a_death_by_the_containers_limit_is_named(image):
    more = ("-e", "MEMORY=700", "-e", "NETBOOT_FILE=http://192.0.2.1/x")
    with Container(*LIMIT, *WHOLE, *more) as container:
        assert container.wait() == 4
        warned = container.text.index("the kernel will kill QEMU")
        assert warned < container.text.index("out-of-memory killer ended")
        assert "the control group's limit of 400 MiB" in container.text
