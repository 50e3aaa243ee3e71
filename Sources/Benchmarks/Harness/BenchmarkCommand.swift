// Wingmirror · Apache-2.0

/// The command line: chooses scenarios, runs them, and prints their tables.
enum BenchmarkCommand {
    /// Runs with these arguments; returns the status to exit with: 0, 1 when the work failed, 2 for bad usage.
    static func run(_ arguments: [String]) -> Int32 {
        let options: BenchmarkOptions
        do {
            options = try BenchmarkOptions(arguments)
        } catch {
            Console.complain("Benchmarks: \(error.message)\n\(BenchmarkOptions.usage)")
            return 2
        }
        switch options.action {
        case .help: Console.write(BenchmarkOptions.help)
        case .list: list()
        case .measure(let scenarios): return measure(scenarios, options)
        }
        return 0
    }

    private static func list() {
        for scenario in Scenario.all {
            Console.write("\(FigureText.padded(scenario.name, to: 13))\(scenario.summary)\n")
        }
    }

    private static func measure(_ scenarios: [Scenario], _ options: BenchmarkOptions) -> Int32 {
        guard Machine.isOptimizedBuild || options.allowsDebugBuild else {
            Console.complain(
                """
                Benchmarks: this is a debug build, whose figures mean nothing; use swift run -c release Benchmarks, \
                or --debug-ok to see it run.\n
                """
            )
            return 2
        }
        Console.write(Machine.description)
        do {
            for scenario in scenarios { try measure(scenario, options) }
        } catch {
            Console.complain("Benchmarks: \(error)\n")
            return 1
        }
        return 0
    }

    private static func measure(_ scenario: Scenario, _ options: BenchmarkOptions) throws {
        var rows = try scenario.workloads(options)
        if let text = options.only { rows.removeAll { !$0.label.contains(text) } }
        guard !rows.isEmpty else { return Console.complain("\(scenario.name): no row has that name\n") }
        let measurements = try Measurement.measure(rows, rounds: options.rounds)
        let report = Report(scenario, rows, measurements, countsAllocations: AllocationCounter.isTrustworthy)
        Console.write(report.text)
    }
}
