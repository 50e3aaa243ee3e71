// Wingmirror · Apache-2.0

import Redaction

extension Scenario {
    /// Names of fields and parameters, which clients make up.
    static let names = Scenario(
        name: "names",
        summary: "whether a name that was never seen before is that of a credential",
        item: "name"
    ) { options in
        [Row(NameWorkload(passes: options.repetitions(16)))]
    }
}

/// Looks up the same names again and again, as if each were a new one: nothing is remembered of them.
private struct NameWorkload: ~Copyable, Workload {
    let label = "made-up names"
    let items: Int
    let octets: Int
    /// The names one behind the other, and where each lies.
    private var text: [UInt8] = []
    private var ranges: [Range<Int>] = []
    private let passes: Int

    init(passes: Int) {
        self.passes = passes
        for number in 0..<1000 {
            let name = Array("X-MadeUp-\(number)-fieldName".utf8)
            ranges.append(text.count..<text.count + name.count)
            text += name
        }
        items = ranges.count * passes
        octets = text.count * passes
    }

    mutating func run() -> Int {
        var harmless = 0
        for _ in 0..<passes {
            for range in ranges where !CredentialNames.contains(text.span.extracting(range)) { harmless += 1 }
        }
        return harmless
    }
}
