// multicast_ex.cc - every reader sees every packet, unless it is too slow: then packets are dropped
// for it, and for nobody else.
//
//     picklingtools-multicast_ex mempool pipe_input readers capacity patience [packets]
//
// Readers attach to the pipes out0, out1, ... of the region.
#include "shmboot.h"

namespace {

struct Readers {
  Readers(const char* region, int count, int capacity) {
    for (int ii = 0; ii < count; ii++) {
      ServerSide* ssp = new ServerSide(region, "out" + Stringize(ii), capacity);
      outputs.append(ssp);
      ssp->start();
    }
  }
  ~Readers() {
    for (int ii = 0; ii < outputs.length(); ii++) delete outputs[ii];
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Hands the same bytes to each of them.
  void dispatch(const Val& packet, real_8 patience) {
    for (int ii = 0; ii < outputs.length(); ii++) {
      if (!outputs[ii]->pipe().enqueue(packet, patience)) {
        cerr << "Reader " << ii << " is too slow, dropping packet" << endl;
      }
    }
  }

  Array<ServerSide*> outputs;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    cerr << "usage: " << argv[0] << " region input readers capacity patience [packets]" << endl;
    return 1;
  }
  try {
    ClientSide single_input(argv[1], argv[2]);
    single_input.start();
    Readers readers(argv[1], atoi(argv[3]), atoi(argv[4]));
    const int packets = argc == 7 ? atoi(argv[6]) : 0;
    for (int done = 0; packets == 0 || done < packets; ++done) {
      Val packet;
      while (!single_input.pipe().dequeue(.1, packet)) {
        // nothing available, try again
      }
      readers.dispatch(packet, atof(argv[5]));
    }
  } catch (const exception& error) {
    cerr << argv[0] << ": " << error.what() << endl;
    return 1;
  }
  return 0;
}
