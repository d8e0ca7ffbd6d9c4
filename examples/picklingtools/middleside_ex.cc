// middleside_ex.cc - a transformer: reads from one pipe, adds a key, and writes to another.
//
//     picklingtools-middleside_ex mempool pipe1 pipe2 4 [packets]
//
// With `--pass` behind the packets nothing is added, and the very bytes that came in go on.
#include "shmboot.h"

namespace {

void transform_all(CQ& input, CQ& output, int packets, bool pass) {
  for (int done = 0; packets == 0 || done < packets; ++done) {
    Val packet;
    while (!input.dequeue(.1, packet)) {
      // nothing yet: look again
    }
    if (!pass) packet["my_sequence"] = int(packet["sequence_number"]) + 100;
    while (!output.enqueue(packet, .1)) {
      // no room yet: try again
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || argc > 7) {
    cerr << "usage: " << argv[0] << " region input output capacity [packets [--pass]]" << endl;
    return 1;
  }
  try {
    ClientSide client(argv[1], argv[2], true);
    client.start();
    ServerSide server(argv[1], argv[3], atoi(argv[4]), true);
    server.start();
    transform_all(client.pipe(), server.pipe(), argc > 5 ? atoi(argv[5]) : 0,
                  argc > 6 && string(argv[6]) == "--pass");
  } catch (const exception& error) {
    cerr << argv[0] << ": " << error.what() << endl;
    return 1;
  }
  return 0;
}
