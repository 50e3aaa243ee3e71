// Wingmirror · Apache-2.0

import OctetText
import Testing

@Suite struct EditDistanceTests {
    private static func distance(_ first: String, _ second: String, limit: Int) -> Int? {
        Array(first.utf8).editDistance(to: Array(second.utf8), limit: limit)
    }

    @Test(arguments: [
        ("kitten", "sitting", 3), ("captrue", "capture", 1), ("", "abc", 3), ("abc", "abc", 0), ("ca", "abc", 3),
    ])
    func `a distance within the limit is given, and one beyond it is not`(first: String, second: String, distance: Int)
    {
        #expect(Self.distance(first, second, limit: distance) == distance)
        #expect(Self.distance(second, first, limit: 10) == distance)
        #expect(Self.distance(first, second, limit: distance - 1) == nil)
    }
}
