// Wingmirror · Apache-2.0
// Examples of RFC 7541 Appendix C.

import Testing

@testable import HTTPReconstruction

@Suite struct HPACKExampleTests {
    struct Example: CustomTestStringConvertible {
        let section: String
        let limit: Int?
        let blocks: [String]
        let fields: [[SeenField]]
        /// What the table's entries cost after each block.
        let sizes: [Int]

        var testDescription: String { section }
    }

    private static let requests: [[SeenField]] = {
        let first = [
            SeenField(":method", "GET"), SeenField(":scheme", "http"), SeenField(":path", "/"),
            SeenField(":authority", "www.example.com"),
        ]
        let third = [
            SeenField(":method", "GET"), SeenField(":scheme", "https"), SeenField(":path", "/index.html"),
            SeenField(":authority", "www.example.com"), SeenField("custom-key", "custom-value"),
        ]
        return [first, first + [SeenField("cache-control", "no-cache")], third]
    }()

    private static let responses: [[SeenField]] = {
        func response(_ status: String, _ date: String) -> [SeenField] {
            [
                SeenField(":status", status), SeenField("cache-control", "private"), SeenField("date", date),
                SeenField("location", "https://www.example.com"),
            ]
        }
        let earlier = "Mon, 21 Oct 2013 20:13:21 GMT"
        let later = "Mon, 21 Oct 2013 20:13:22 GMT"
        let cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
        return [
            response("302", earlier), response("307", earlier),
            response("200", later) + [SeenField("content-encoding", "gzip"), SeenField("set-cookie", cookie)],
        ]
    }()

    static let examples = [
        Example(
            section: "C.3 requests without Huffman coding",
            limit: nil,
            blocks: [
                "828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
                "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
            ],
            fields: requests,
            sizes: [57, 110, 164]
        ),
        Example(
            section: "C.4 requests with Huffman coding",
            limit: nil,
            blocks: [
                "828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
                "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
            ],
            fields: requests,
            sizes: [57, 110, 164]
        ),
        Example(
            section: "C.5 responses without Huffman coding, table of 256 octets",
            limit: 256,
            blocks: [
                "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17687474"
                    + "70733a2f2f7777772e6578616d706c652e636f6d",
                "4803333037c1c0bf",
                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a"
                    + "4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
            ],
            fields: responses,
            sizes: [222, 222, 215]
        ),
        Example(
            section: "C.6 responses with Huffman coding, table of 256 octets",
            limit: 256,
            blocks: [
                "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae"
                    + "82ae43d3",
                "4883640effc1c0bf",
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960"
                    + "d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            ],
            fields: responses,
            sizes: [222, 222, 215]
        ),
    ]

    @Test(arguments: examples, [Int.max, 1, 3])
    func `the examples of the RFC decode as it says`(example: Example, step: Int) throws {
        var decoder = TestDecoder()
        if let limit = example.limit { decoder.table.limitChanged(to: limit) }
        for (number, block) in example.blocks.enumerated() {
            let fields = try decoder.decode([UInt8](hex: block), step: step, as: .responseOrTrailers)
            #expect(fields == example.fields[number])
            let size = decoder.table.ring.size
            #expect(size == example.sizes[number])
        }
    }

    @Test(arguments: [
        ("C.1.1 ten in five bits", "2a", 10), ("C.1.2 1337 in five bits", "3f9a0a", 1337), ("zero", "20", 0),
        ("the most allowed", "3fe1ffffff07", 1 << 31),
    ])
    func `an integer is read in one octet or more`(label: String, block: String, value: Int) throws {
        var decoder = TestDecoder()
        // A size update is a bare integer; the next insertion shows whether it was understood.
        let fields = try decoder.decode([UInt8](hex: block))
        #expect(fields.isEmpty)
        let entry = [UInt8](hex: "4001610162")
        _ = try decoder.decode(entry)
        let count = decoder.table.ring.count
        #expect(count == (value >= 34 ? 1 : 0))
    }

    @Test func `a never-indexed literal says so`() throws {
        var decoder = TestDecoder()
        let fields = try decoder.decode([UInt8](hex: "100870617373776f726406736563726574"))
        #expect(fields.map(\.isNeverIndexed) == [true])
        let count = decoder.table.ring.count
        #expect(count == 0)
    }
}
