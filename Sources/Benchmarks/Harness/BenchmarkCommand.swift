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
        if options.countsAllocationsOnly { return countAllocations(scenarios, options) }
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

    /// A line for each row: scenario, row and calls of the allocator for an item, with tabs between.
    private static func countAllocations(_ scenarios: [Scenario], _ options: BenchmarkOptions) -> Int32 {
        guard AllocationCounter.isTrustworthy else {
            Console.complain("Benchmarks: calls of the allocator are not counted here\n")
            return 1
        }
        do {
            for scenario in scenarios {
                let rows = try scenario.workloads(options)
                for (row, measurement) in zip(rows, try Measurement.measure(rows, rounds: 1)) {
                    let thousandths = Int((Spread(measurement.allocations).median * 1000).rounded())
                    let decimals = String(thousandths % 1000 + 1000).dropFirst()
                    Console.write("\(scenario.name)\t\(row.label)\t\(thousandths / 1000).\(decimals)\n")
                }
            }
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
