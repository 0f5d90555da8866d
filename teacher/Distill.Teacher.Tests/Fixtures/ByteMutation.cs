namespace Distill.Teacher.Tests.Fixtures;

/// <summary>Damages a sound file: bits flipped, bytes set, parts cut, repeated, moved and inserted. Seeded by its caller.</summary>
internal sealed class ByteMutation(byte[] original, byte[] telling)
{
    // Where a format's limits lie: lengths and sizes of nothing, everything and one more.
    private static readonly byte[][] s_numbers =
        [
            [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x80, 0x80, 0x80, 0x80, 0x08],
            [0], [0x7F]];

    private readonly List<byte> bytes = [];

    /// <param name="random">Drawn from as often as the edits need.</param>
    public byte[] Next(Random random)
    {
        bytes.Clear();
        bytes.AddRange(original);
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            Edit(random, random.Next(bytes.Count));
            if (bytes.Count == 0) bytes.Add(0);
        }

        return [.. bytes];
    }

    private void Edit(Random random, int at)
    {
        int length = Math.Min(random.Next(1, 40), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes[at] = (byte)random.Next(256); break;
            case 2: bytes[at] = telling[random.Next(telling.Length)]; break;
            case 3: bytes.RemoveRange(at, length); break;
            case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 5: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
            case 6: bytes.InsertRange(at, s_numbers[random.Next(s_numbers.Length)]); break;
            default: bytes.RemoveRange(at, bytes.Count - at); break;
        }
    }
}
