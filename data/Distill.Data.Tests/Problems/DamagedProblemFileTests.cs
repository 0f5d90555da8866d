using System.Text;
using Distill.Data.Problems;
using Distill.Storage;

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

    /// <summary>As editors and PowerShell write them; a file of one line, so that nothing but its first bytes can tell.</summary>
    [Theory]
    [InlineData("utf-8", null)]
    [InlineData("utf-16", "UTF-16")]
    [InlineData("utf-16BE", "UTF-16")]
    [InlineData("utf-32", "UTF-32")]
    [InlineData("utf-32BE", "UTF-32")]
    public void A_byte_order_mark_is_skipped_and_other_encodings_are_named(string name, string? refused)
    {
        var encoding = Encoding.GetEncoding(name);
        using var written = new MemoryStream();
        ProblemFile.Write(written, FamilySamples.WithTwins("words", 1).Take(1));
        var text = encoding.GetBytes(Encoding.UTF8.GetString(written.ToArray()));
        foreach (byte[] bytes in (byte[][])[[.. encoding.GetPreamble(), .. text], text])
        {
            if (refused is null)
                ProblemFile.Read(new Trickle(bytes, 1), "x").ShouldBe(FamilySamples.WithTwins("words", 1).Take(1));
            else
                Should.Throw<InvalidDataException>(() => ProblemFile.Read(new Trickle(bytes, 1), "x").Count()).Message
                    .ShouldBe($"x: the text is {refused}, not UTF-8. Save it as UTF-8, e.g. by iconv -f {refused} -t UTF-8.");
        }
    }

    [Fact]
    public void A_byte_order_mark_alone_is_an_empty_file() =>
        ProblemFile.Read(new MemoryStream([0xEF, 0xBB, 0xBF]), "x").ShouldBeEmpty();

    /// <summary>Words of a file that a message repeats: as a value, as a property's name, as an id, and the file's own name.</summary>
    [Theory]
    [InlineData("""{"problem_id":"p","family":"f","domain":"d","split":"\u001b[31m\u202e"}""", "\\u001B[31m\\u202E")]
    [InlineData("""{"\u001b]0;x\u0007":1,"\u001b]0;x\u0007":2}""", "x")]
    [InlineData("\u001b{}", "0x1B")]
    [InlineData("[]", "Array")]
    public void Control_characters_of_a_file_never_reach_a_message(string line, string contained)
    {
        var stream = new MemoryStream(Encoding.UTF8.GetBytes(line));

        var message = Should.Throw<InvalidDataException>(() => ProblemFile.Read(stream, "odd\u001b[2J").Count()).Message;

        message.ShouldStartWith("odd\\u001B[2J, line 1: ");
        message.ShouldContain(contained);
        message.ShouldAllBe(unit => !char.IsControl(unit) && unit != '\u202e');
    }

    [Fact]
    public void Quoted_words_are_cut_and_keep_what_can_be_seen()
    {
        Printable.Quote("naïve 漢字 \uD83D\uDC4D").ShouldBe("'naïve 漢字 \uD83D\uDC4D'");
        Printable.Quote("\0\t\u0085\u2028\uD83D").ShouldBe(@"'\u0000\u0009\u0085\u2028\uD83D'");
        Printable.Quote(new string('x', 1000)).Length.ShouldBeLessThan(130);
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
            var units = Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(4) == 0 ? '\n' : (char)('a' + random.Next(26)));
            var text = string.Concat(units);
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
    private sealed class Trickle(byte[] bytes, int atOnce) : MemoryStream(bytes)
    {
        public Trickle(string text, int atOnce = 3)
            : this(Encoding.UTF8.GetBytes(text), atOnce)
        {
        }

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
