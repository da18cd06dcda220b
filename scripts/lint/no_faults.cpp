// What known_faults.cpp is joined to: nothing is to be found here.
#include <cstdio>
