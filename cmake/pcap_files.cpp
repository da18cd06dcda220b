// libpcap reads capture files here, and captures nothing. Its archive takes what captures on D-Bus along, and
// with that libdbus and libsystemd, which would be loaded at every start: these two functions stand in for
// it, so that the linker takes pcap-dbus.o not at all. Valid for libpcap 1.10 (pcap-dbus.h).
#include <pcap/pcap.h>

extern "C" {

pcap_t* dbus_create(const char* device, char* error, int* is_ours);
pcap_t* dbus_create(const char* /*device*/, char* /*error*/, int* is_ours) {
    *is_ours = 0;
    return nullptr;
}

int dbus_findalldevs(void* devices, char* error);
int dbus_findalldevs(void* /*devices*/, char* /*error*/) {
    return 0;
}

}  // extern "C"
