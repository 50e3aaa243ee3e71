// Wingmirror · Apache-2.0

/// Measures the stages of the packet path, the route table, the exposition, and the whole of it over a savefile.
///
///     swift run -c release Benchmarks                                # everything, about a minute
///     swift run -c release Benchmarks decode heads                   # only these
///     swift run -c release Benchmarks savefile --savefile api.pcap   # the whole path, over a capture of yours
///     swift run -c release Benchmarks --list
///
/// Each scenario is a table with a row for each kind of work. All rows take their turn in each round, so that what else
/// the machine does strikes all of them alike; the first round is not counted. The columns:
///
/// - `ns/item`: processor time, user and system, of the whole process; the median of the rounds, and their range.
/// - `run`: the same for one round, whole.
/// - `items/s`, `octets/s`: what one processor would do in a second.
/// - `allocs/item`: calls of `malloc` and its like, from any library, counted by standing in front of glibc's.
/// - `x first`: `ns/item` divided by that of the first row in the same round; the median, and the range.
///
/// The last column is the one to compare between machines and days. The others hold for one machine at one moment: on
/// a machine that does other work they move by a tenth and more, however often one measures. Allocations do not move.
///
/// A row that does not do all of its work, say decodes less than every packet, ends the program with status 1 instead
/// of a figure. Nothing here fails for being slow.
///
/// Instructions do not move with the load of the machine. For their number, after `swift build -c release`, and without
/// debugging information, which valgrind may not understand:
///
///     strip --strip-debug -o /tmp/Benchmarks .build/release/Benchmarks
///     valgrind --tool=callgrind --collect-atstart=no --toggle-collect='*measuredRunSiyKF' \
///         /tmp/Benchmarks decode --only IPv6 --repeats 1
///
/// `--only` chooses rows by a part of their name; the sum is for the two rounds that this makes, the first one included,
/// and the pattern is the end of the symbol of `Row.measuredRun`.
import Glibc

exit(BenchmarkCommand.run(Array(CommandLine.arguments.dropFirst())))
