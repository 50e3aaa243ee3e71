// Wingmirror · Apache-2.0

/// What the command line asks for.
struct BenchmarkOptions {
    /// What to do.
    enum Action {
        case help
        case list
        case measure([Scenario])
    }

    /// What is wrong with the command line.
    struct Misuse: Error {
        let message: String
    }

    private(set) var action = Action.measure(Scenario.all)
    /// The savefile that `savefile` reads; without one it makes its own.
    private(set) var savefile: String?
    /// Rounds that are counted.
    private(set) var rounds = 7
    /// Only rows whose name has this in it.
    private(set) var only: String?
    /// Whether a debug build may measure.
    private(set) var allowsDebugBuild = false
    /// Whether only calls of the allocator are counted, over a small part of the work: these do not depend on the machine.
    private(set) var countsAllocationsOnly = false

    /// How often something is done: as often as for a measurement of time, or often enough for a count.
    func repetitions(_ full: Int) -> Int {
        countsAllocationsOnly ? max(1, full / 250) : full
    }

    static let usage = """
        usage: Benchmarks [scenario…] [--savefile FILE] [--repeats N] [--only TEXT] [--list] [--help] [--debug-ok]
                  [--allocations]

        """

    static let help =
        usage + """

            scenario…         which to run; without any, all of them
            --savefile FILE   the capture that the scenario savefile reads, instead of one made for it
            --repeats N       rounds to measure, 7 by default; a ratio wants at least 5
            --only TEXT       only the rows whose name has TEXT in it
            --list            the names of the scenarios
            --debug-ok        measure a debug build too
            --allocations     count calls of the allocator for each item of the packet path, and measure nothing else; what a
                              debug build counts is held against Tests/BenchmarksTests/Fixtures/allocations.tsv

            Example: swift run -c release Benchmarks savefile --savefile gateway.pcap

            """

    init(_ arguments: [String]) throws(Misuse) {
        var names: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": action = .help
            case "--list": action = .list
            case "--debug-ok": allowsDebugBuild = true
            case "--allocations": countsAllocationsOnly = true
            case "--savefile": savefile = try Self.value(of: argument, &rest)
            case "--only": only = try Self.value(of: argument, &rest)
            case "--repeats":
                let text = try Self.value(of: argument, &rest)
                guard let count = Int(text), 1...1000 ~= count else {
                    throw Misuse(message: "--repeats takes a number from 1 to 1000, not \(text)")
                }
                rounds = count
            case _ where argument.hasPrefix("-"): throw Misuse(message: "there is no option \(argument)")
            default: names.append(argument)
            }
        }
        let chosen = try Self.scenarios(names)
        if case .measure = action, !chosen.isEmpty || countsAllocationsOnly {
            action = .measure(chosen.isEmpty ? Scenario.packetPath : chosen)
        }
        if case .measure(let chosen) = action, savefile != nil, !chosen.contains(where: { $0.name == "savefile" }) {
            throw Misuse(message: "--savefile is for the scenario savefile, which is not among those to run")
        }
    }

    private static func value(of option: String, _ rest: inout ArraySlice<String>) throws(Misuse) -> String {
        guard let value = rest.popFirst() else { throw Misuse(message: "\(option) needs a value") }
        return value
    }

    private static func scenarios(_ names: [String]) throws(Misuse) -> [Scenario] {
        var scenarios: [Scenario] = []
        for name in names {
            guard let scenario = Scenario.all.first(where: { $0.name == name }) else {
                throw Misuse(message: "there is no scenario \(name); --list names them")
            }
            scenarios.append(scenario)
        }
        return scenarios
    }
}
