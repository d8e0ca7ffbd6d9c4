// Compiles and links against an installed tarn; it needs no running node.
#include <tarn/tarn.h>

int main() { return 0; }
