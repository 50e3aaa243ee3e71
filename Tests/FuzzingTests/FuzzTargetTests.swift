// Wingmirror · Apache-2.0

import Fuzzing
import OctetText
import TestSupport
import TestTraits
import Testing

/// What `make fuzz` does for hours, for seconds: the seeds, changes of them, and what once failed.
@Suite struct FuzzTargetTests {
    @Test(arguments: FuzzTarget.allCases)
    func `every target has seeds and reads them`(target: FuzzTarget) throws {
        let seeds = try FuzzSeeds.all(of: target)
        #expect(!seeds.isEmpty)
        for seed in seeds { target.run(seed.octets.span) }
    }

    @Test(.timeLimit(.minutes(20)), .heavy, arguments: FuzzTarget.allCases)
    func `changed seeds are survived`(target: FuzzTarget) throws {
        let seeds = try FuzzSeeds.all(of: target).filter { $0.octets.count <= 4096 }
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<300 {
            guard var octets = seeds.randomElement(using: &generator)?.octets else { return }
            for _ in 0..<Int.random(in: 1...6, using: &generator) { octets.change(using: &generator) }
            target.run(octets.span)
        }
    }

    @Test func `what once failed does not fail again`() throws {
        for input in try KeptInputs.all(besideFile: #filePath) {
            let target = try #require(
                FuzzTarget.allCases.first { input.name.hasPrefix($0.rawValue + "_") },
                "\(input.name) begins with no target's name and an underscore"
            )
            target.run(input.octets.span)
        }
    }
}

extension [UInt8] {
    /// Changes, takes out, doubles or moves some octets.
    fileprivate mutating func change(using generator: inout SeededGenerator) {
        let index = Int.random(in: 0...count, using: &generator)
        let end = Swift.min(count, index + Int.random(in: 1...16, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0 where index < count: self[index] = UInt8.random(in: 0...255, using: &generator)
        case 1 where index < count: self[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: removeSubrange(index..<end)
        case 3: insert(contentsOf: self[index..<end], at: index)
        case 4: removeSubrange(index...)
        default: insert([0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x20].randomElement(using: &generator) ?? 0, at: index)
        }
    }
}
