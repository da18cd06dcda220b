# What `cmake --install` puts where, and the Debian package that CPack makes of the same rules.
#
# CPack and not debhelper: the tarball, the image and any `cmake --install` follow these rules as well, so that with debhelper
# there would be two lists of the same files, and forty packages more to build with. What CPack leaves undone for
# Debian is in deb_layout.cmake.

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

install(TARGETS vm-launch RUNTIME COMPONENT program)

# What shells, man and systemd read of it. The program itself prints the first three, once it is built.
install(FILES ${PROJECT_BINARY_DIR}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME vm-launch
    COMPONENT integration)
install(FILES ${PROJECT_BINARY_DIR}/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _vm-launch
    COMPONENT integration)
install(FILES ${PROJECT_BINARY_DIR}/vm-launch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT integration)
# Not CMAKE_INSTALL_LIBDIR: systemd looks in lib alone.
install(FILES examples/vm-launch@.service DESTINATION lib/systemd/system COMPONENT integration)

# The same folders as in the sources, so that links lead from one file to the other.
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documentation)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT documentation
    FILES_MATCHING PATTERN "*.md" PATTERN "*.json" PATTERN "*.png" PATTERN "ARCHITECTURE.md" EXCLUDE)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documentation
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ PATTERN "*.service" EXCLUDE
    PATTERN "serve" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Without what pip leaves there.
install(DIRECTORY integrations DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documentation
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
    FILES_MATCHING PATTERN "*.py" PATTERN "*.toml" PATTERN "*.yml"
    PATTERN "build" EXCLUDE PATTERN "*.egg-info" EXCLUDE PATTERN "__pycache__" EXCLUDE)

# The Debian package has them under names of its own.
install(FILES CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT plain)

# What a program that is given away has to come with; scripts/package has scripts/sbom write them.
install(FILES ${PROJECT_BINARY_DIR}/vm-launch.spdx.json ${PROJECT_BINARY_DIR}/NOTICES DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT notices EXCLUDE_FROM_ALL)

# The Debian package's own.
set(vml_maintainer "The vm-launch authors <vm-launch@example.org>")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
execute_process(COMMAND date -u -R -d ${vml_release_date} OUTPUT_VARIABLE vml_debian_date OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
configure_file(packaging/changelog.Debian.in ${PROJECT_BINARY_DIR}/changelog.Debian @ONLY)
install(FILES packaging/copyright ${PROJECT_BINARY_DIR}/changelog.Debian DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME changelog COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES packaging/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME vm-launch
    COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_INSTALL_CMAKE_PROJECTS "")
foreach(component program integration documentation notices debian)
    list(APPEND CPACK_INSTALL_CMAKE_PROJECTS ${PROJECT_BINARY_DIR} vm-launch ${component} /)
endforeach()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/deb_layout.cmake)
set(CPACK_PACKAGE_NAME vm-launch)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/postinst ${PROJECT_SOURCE_DIR}/packaging/postrm)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${vml_maintainer})
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "network-boots virtual machines on QEMU and explains each boot
vm-launch starts a virtual machine straight on QEMU, without libvirt, with an
iPXE option ROM that is known to run on its firmware and network card, and
tells how far the boot got: DHCP, what was fetched, the kernel, the operating
system, or what is missing, with the next step.
.
It runs without privileges on QEMU's own network, or as root on bridges,
macvtaps and isolated segments, and then QEMU and vm-launch itself give up
every right. vm-launch@.service keeps a machine running under systemd.")

# The release is one static file, which needs no library. A build that is linked dynamically is for the Debian that it was built on.
if(NOT VML_STATIC_LIBRARIES)
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
# Depends: without QEMU no machine starts; of the other architecture's guests it is the other package. Debian's qemu-system-x86 brings
# iPXE's ROMs and SeaBIOS along. Recommends: what the README's settings need: UEFI, disks (qemu-img). Suggests: TPM, the other
# architecture's firmware, `vm-launch ssh`, and iPXE's programs: Debian 13 needs them for UEFI, while Debian 12's
# package would put an entry into the machine's own boot menu. What is missing vm-launch says, with the package's name.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
    set(CPACK_DEBIAN_PACKAGE_DEPENDS "qemu-system-arm | qemu-system-x86")
    set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ipxe-qemu, qemu-efi-aarch64, qemu-utils")
    set(CPACK_DEBIAN_PACKAGE_SUGGESTS "ipxe, openssh-client, ovmf, qemu-system-x86, swtpm")
else()
    set(CPACK_DEBIAN_PACKAGE_DEPENDS "qemu-system-x86 | qemu-system-arm")
    set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ipxe-qemu, ovmf, qemu-utils")
    set(CPACK_DEBIAN_PACKAGE_SUGGESTS "ipxe, openssh-client, qemu-efi-aarch64, qemu-system-arm, swtpm")
endif()
include(CPack)
