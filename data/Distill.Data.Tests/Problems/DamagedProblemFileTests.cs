using System.Text;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

public sealed class DamagedProblemFileTests
{
    /// <summary>Bytes changed, cut and doubled at random: read or refused by line, nothing else.</summary>
    [Fact]
    public void A_damaged_file_is_read_or_refused()
    {
        using var stream = new MemoryStream();
        ProblemFile.Write(stream, FamilySamples.WithTwins("words", 1).Take(3));
        var whole = stream.ToArray();
        var random = new Random(5);
        var refused = 0;
        for (var i = 0; i < 3000; i++)
        {
            var bytes = Damage(whole, random);
            try
            {
                ProblemFile.Read(new MemoryStream(bytes), "damaged").Count().ShouldBeLessThanOrEqualTo(6);
            }
            catch (InvalidDataException reason)
            {
                reason.Message.ShouldStartWith("damaged, line ");
                refused++;
            }
            catch (Exception other) when (other is not ShouldAssertException)
            {
                Assert.Fail($"{other.GetType().Name}: {other.Message}\n{Encoding.Latin1.GetString(bytes)}");
            }
        }

        refused.ShouldBeInRange(300, 2900);
    }

    [Fact]
    public void A_line_beyond_the_limit_is_refused_without_holding_it()
    {
        using var endless = new Endless();

        Should.Throw<InvalidDataException>(() => ProblemFile.Read(endless, "endless").Count()).Message
            .ShouldBe($"endless, line 1: longer than {ProblemFile.MaxLineBytes} bytes.");
        endless.Delivered.ShouldBeLessThan(4 * ProblemFile.MaxLineBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void The_longest_line_allowed_is_read_and_one_byte_more_is_not(int before)
    {
        var lines = new BoundedLines(new Trickle($"{new string('\n', before)}0123456789\nab"), "x", 10);
        var read = new List<string>();
        while (lines.TryRead(out var line))
            read.Add(Encoding.UTF8.GetString(line.Span));

        read.ShouldBe([.. Enumerable.Repeat("", before), "0123456789", "ab"]);
        lines.Number.ShouldBe(before + 2);
        var tooLong = new BoundedLines(new Trickle("a\n01234567890\n"), "x", 10);
        tooLong.TryRead(out _).ShouldBeTrue();
        Should.Throw<InvalidDataException>(() => tooLong.TryRead(out _)).Message.ShouldBe("x, line 2: longer than 10 bytes.");
    }

    /// <summary>Lines of every length around the buffer's, against <see cref="string.Split(char, StringSplitOptions)"/>.</summary>
    [Fact]
    public void Lines_are_the_same_however_the_bytes_arrive()
    {
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(4) == 0 ? '\n' : (char)('a' + random.Next(26))));
            var lines = new BoundedLines(new Trickle(text, random.Next(1, 9)), "x", 80);
            var read = new List<string>();
            while (lines.TryRead(out var line))
                read.Add(Encoding.UTF8.GetString(line.Span));

            var expected = text.Split('\n');
            read.SequenceEqual(expected[^1].Length == 0 ? expected[..^1] : expected).ShouldBeTrue(text);
        }
    }

    private static byte[] Damage(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at - 1, random.Next(20)));
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, random.Next(20))));
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(new[] { "\\ud800", "\"", "{", "\n", "\\u0000", "null" }[random.Next(6)]));
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Delivers a few bytes at a time.</summary>
    private sealed class Trickle(string text, int atOnce = 3) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, atOnce));
    }

    private sealed class Endless : MemoryStream
    {
        public long Delivered { get; private set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)'x');
            Delivered += count;
            return count;
        }
    }
}
