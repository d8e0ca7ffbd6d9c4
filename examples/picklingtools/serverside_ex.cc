// serverside_ex.cc - makes the region and a pipe in it, and enqueues tables.
//
//     picklingtools-serverside_ex mempool 1000000 pipe1 4 [packets]
#include "shmboot.h"

namespace {

void enqueue_all(CQ& pipe, StreamingPool* pool, int packets) {
  for (int seq = 0; packets == 0 || seq < packets; ++seq) {
    // A table that processes may share.
    Val data = Shared(pool, Tab());
    data["sequence_number"] = seq;
    data["bi"] = int_n("10000000000000000000000000000000");
    data["bu"] = int_un("10000000000000000000000000000000");

    bool enqueued = false;
    const real_8 timeout_in_seconds = 3.2;
    while (!enqueued) {
      enqueued = pipe.enqueue(data, timeout_in_seconds);
      if (!enqueued) {
        cerr << "Failed to enqueue after " << timeout_in_seconds << " seconds ... trying again ..."
             << endl;
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    cerr << "usage: " << argv[0] << " region bytes pipe capacity [packets]" << endl;
    return 1;
  }
  try {
    SHMMain mem(argv[1], size_t(atoll(argv[2])), true);
    mem.start();  // from here on the region is there

    ServerSide server(argv[1], argv[3], atoi(argv[4]), true);
    server.start();  // and from here on the pipe
    enqueue_all(server.pipe(), server.pool(), argc == 6 ? atoi(argv[5]) : 0);
  } catch (const exception& error) {
    cerr << argv[0] << ": " << error.what() << endl;
    return 1;
  }
  return 0;
}
