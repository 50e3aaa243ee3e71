// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import HTTPReconstruction

@Suite struct HPACKHostileTests {
    @Test(arguments: [
        ("index 0", "80", HPACKError.invalidIndex),
        ("an index beyond the table", "be", .invalidIndex),
        ("a name index beyond the table", "7e0161", .invalidIndex),
        ("an integer above 2³¹", "ffffffffff0f", .integerOverflow),
        ("an integer without end", "ff8080808080808001", .integerOverflow),
        ("a string length above 2³¹", "40ffffffffff0f", .integerOverflow),
        ("padding of zeros", "408118017a", .invalidHuffman),
        ("padding longer than seven bits", "4082 1fff 017a", .invalidHuffman),
        ("EOS in a string", "4084 ffffffff 017a", .invalidHuffman),
        ("a size update behind a field", "8220", .misplacedSizeUpdate),
        ("an end inside an integer", "ff", .truncated),
        ("an end inside a name", "400561", .truncated),
        ("an end before a value", "400161", .truncated),
    ])
    func `what breaks the rules is an error of its kind`(label: String, block: String, error: HPACKError) {
        var decoder = TestDecoder()
        var seen: HPACKError?
        do { _ = try decoder.decode([UInt8](hex: block)) } catch { seen = error }
        #expect(seen == error)
    }

    @Test func `an index beyond what is known is unknown, not an error`() throws {
        var decoder = TestDecoder(isWhole: false)
        let fields = try decoder.decode([UInt8](hex: "be7e0161"))
        #expect(fields == [SeenField(nil, nil), SeenField(nil, nil)])
        let again = try decoder.decode([UInt8](hex: "be"))
        #expect(again == [SeenField(nil, nil)])
    }

    @Test func `a block of references to a large entry is decoded and not held`() throws {
        var decoder = TestDecoder()
        let bomb = TestEncoder.string("a") + TestEncoder.string(String(repeating: "x", count: 4000))
        let block = [0x40] + bomb + [UInt8](repeating: 0xBE, count: 16_000)
        let fields = try decoder.decode(block)
        #expect(fields.count < 20)
        let (lines, isOverLimit) = (decoder.section.lineCount, decoder.section.isOverLimit)
        #expect(lines == 16_001)
        #expect(isOverLimit)
        let held = decoder.section.octets.count
        #expect(held <= 64 << 10)
    }

    @Test func `a string beyond the limit leaves the table as the encoder has it`() throws {
        var decoder = TestDecoder()
        var encoder = TestEncoder()
        _ = try decoder.decode(encoder.encode("kept", "1", inserts: true))
        // 100,000 octets empty the table; what follows is inserted again.
        let huge = encoder.encode("huge", String(repeating: "y", count: 100_000), inserts: true)
        let behind = encoder.encode("behind", "2", inserts: true)
        let fields = try decoder.decode(huge + behind, step: 1000)
        #expect(fields.isEmpty)
        let referred = try decoder.decode(encoder.encode("behind", "2", inserts: true))
        #expect(referred == [SeenField("behind", "2")])
        let count = decoder.table.ring.count
        #expect(count == 1)
    }

    @Test func `size updates that flap leave no memory behind`() throws {
        var decoder = TestDecoder()
        var encoder = TestEncoder()
        for round in 0..<2000 {
            let block =
                encoder.changeLimit(to: 65_536)
                + encoder.encode("name\(round)", String(repeating: "v", count: 3000), inserts: true)
            _ = try decoder.decode(block)
            let full = decoder.table.ring.size
            #expect(full <= 65_536)
            if round % 3 == 2 {
                _ = try decoder.decode(encoder.changeLimit(to: 0))
                let empty = decoder.table.ring.size
                #expect(empty == 0)
            }
        }
    }

    @Test func `a table above the cap forgets its oldest entries, which become unknown`() throws {
        var decoder = TestDecoder()
        var encoder = TestEncoder()
        _ = try decoder.decode(encoder.changeLimit(to: 1 << 20) + encoder.encode("oldest", "1", inserts: true))
        for number in 0..<100 {
            _ = try decoder.decode(
                encoder.encode("n\(number)", String(repeating: "z", count: 1000), inserts: true)
            )
        }
        let fields = try decoder.decode(
            encoder.encode("oldest", "1", inserts: false)
                + encoder.encode("n99", String(repeating: "z", count: 1000), inserts: false)
        )
        #expect(fields == [SeenField(nil, nil), SeenField("n99", String(repeating: "z", count: 1000))])
    }

    @Test(arguments: 0..<20) func `random octets neither trap nor grow`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var decoder = TestDecoder(isWhole: seed.isMultiple(of: 2))
        for _ in 0..<300 {
            let block = (0..<Int.random(in: 1..<200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if random.oneIn(5) { decoder.table.blocksMissed(octets: Int.random(in: 0..<400, using: &random)) }
            _ = try? decoder.decode(block, step: Int.random(in: 1..<20, using: &random))
            let size = decoder.table.ring.size
            #expect(size <= 65_536, "seed \(seed)")
        }
    }

    @Test func `a block split anywhere fails as the whole one does`() {
        let blocks = ["828684be408118017a", "82868440021fff017a", "8286844005"]
        for block in blocks {
            let octets = [UInt8](hex: block)
            var whole: HPACKError?
            var decoder = TestDecoder()
            do { _ = try decoder.decode(octets) } catch { whole = error }
            for step in 1..<octets.count {
                var split: HPACKError?
                var decoder = TestDecoder()
                do { _ = try decoder.decode(octets, step: step) } catch { split = error }
                #expect(split == whole)
            }
        }
    }
}
