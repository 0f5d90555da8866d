using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class SafeTensorsFuzzTests
{
    private const int Mutations = 100_000;

    /// <summary>Small fixed cost of reader objects, error message and exception, which does not grow with the file.</summary>
    private const long Overhead = 64 << 10;

    [Fact]
    public void Mutated_files_are_read_or_refused_within_bounded_memory()
    {
        byte[] original = Original();
        var random = new Random(20_240_817);
        int refused = 0, read = 0;
        long worst = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = Mutate(original, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            if (TryReadAll(mutated)) read++;
            else refused++;
            worst = Math.Max(worst, GC.GetAllocatedBytesForCurrentThread() - before - 2L * mutated.Length);
        }

        worst.ShouldBeLessThan(Overhead);
        refused.ShouldBeGreaterThan(Mutations / 4);
        read.ShouldBeGreaterThan(Mutations / 100); // data bytes may change freely
    }

    private static bool TryReadAll(byte[] bytes)
    {
        try
        {
            using var file = SafeTensorsFile.Open(new MemoryStream(bytes, writable: false), "fuzzed");
            foreach (var entry in file.Entries) file.ReadBytes(entry.Name);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static byte[] Original()
    {
        using var stream = new MemoryStream();
        SafeTensorsWriter.Write(
            stream,
            Enumerable.Range(0, 6).Select(i => SafeTensor.Singles($"model.layers.{i}.weight", [3, 4], new float[12])),
            new Dictionary<string, string> { ["format"] = "pt" });
        return stream.ToArray();
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            // Half of the edits go to the length field and the JSON, where the decisions are.
            int at = random.Next(random.Next(2) == 0 ? bytes.Count : Math.Min(bytes.Count, 600));
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)"0123456789[]{}\",:-.e\\u"[random.Next(22)]; break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at))); break;
                case 4: bytes[at] = (byte)random.Next(256); break;
                default: bytes.Insert(at, (byte)'9'); break;
            }

            if (bytes.Count == 0) bytes.Add(0);
        }

        return [.. bytes];
    }
}
