// clientside_ex.cc - reads from a pipe, and prints what comes.
//
//     picklingtools-clientside_ex mempool pipe2 [packets]
#include "shmboot.h"

namespace {

void print_all(CQ& pipe, int packets) {
  for (int done = 0; packets == 0 || done < packets; ++done) {
    Val packet;
    bool valid = false;
    const real_8 timeout_in_seconds = 5.5;
    while (!valid) {
      valid = pipe.dequeue(timeout_in_seconds, packet);
      if (!valid) {
        cerr << "Couldn't dequeue after " << timeout_in_seconds
             << " seconds ... trying to dequeue again ..." << endl;
      }
    }
    packet.prettyPrint(cout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    cerr << "usage: " << argv[0] << " region pipe [packets]" << endl;
    return 1;
  }
  try {
    ClientSide client(argv[1], argv[2], true);
    client.start();  // waits for the region and for the pipe
    print_all(client.pipe(), argc == 4 ? atoi(argv[3]) : 0);
  } catch (const exception& error) {
    cerr << argv[0] << ": " << error.what() << endl;
    return 1;
  }
  return 0;
}
