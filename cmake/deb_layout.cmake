# Run by CPack over the files of the Debian package before they are packed: what Debian's policy wants otherwise than
# `cmake --install` does it (12.1 and 12.7: compressed), and where Debian's zsh looks.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
file(MAKE_DIRECTORY ${root}/zsh/vendor-completions)
file(RENAME ${root}/zsh/site-functions/_vm-launch ${root}/zsh/vendor-completions/_vm-launch)
file(REMOVE_RECURSE ${root}/zsh/site-functions)
foreach(file man/man1/vm-launch.1 doc/vm-launch/changelog doc/vm-launch/changelog.Debian doc/vm-launch/NOTICES)
    execute_process(COMMAND gzip -9n ${root}/${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
