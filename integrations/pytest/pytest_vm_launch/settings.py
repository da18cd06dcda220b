"""Settings of vm-launch, by the names of its flags with `_` for `-`: as it gets them. Pure."""

# Settings that vm-launch gets by its environment: every user of the host may read a command line.
SECRET_SETTINGS = ("guest_password", "vnc_password")


def flags(options):
    """The words of a command line: `boot_timeout=60` is `--boot-timeout=60`, True and False are on and off, a list gives its
    flag once for each item, None gives none."""
    words = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(one, bool):
                words.append(f"{flag}={'on' if one else 'off'}")
            elif one is not None:
                words.append(f"{flag}={one}")
    return words


def taken_secrets(options):
    """Takes the secret settings out of the options: what stands for them in the environment."""
    found = [name for name in SECRET_SETTINGS if options.get(name) and type(options[name]) in (str, int)]
    return {name.upper(): str(options.pop(name)) for name in found}
