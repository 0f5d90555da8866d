namespace Distill.Data.Tests.Tokenization;

/// <summary>Damages text in the ways that find faults in parsers; the same seed always gives the same damage.</summary>
internal sealed class Mutation(int seed, string[] snippets)
{
    private readonly Random _random = new(seed);

    public string Apply(string text)
    {
        for (int times = _random.Next(1, 4); times > 0; times--) text = Once(text);
        return text;
    }

    private string Once(string text)
    {
        int at = _random.Next(text.Length + 1), length = _random.Next(Math.Min(20, text.Length - at) + 1);
        return _random.Next(7) switch
        {
            0 => text.Remove(at, length),
            1 => text.Insert(at, text.Substring(at, length)),
            2 => text.Insert(at, snippets[_random.Next(snippets.Length)]),
            3 => string.Concat(text.AsSpan(0, at), snippets[_random.Next(snippets.Length)], text.AsSpan(at + length)),
            4 => text[..at],
            5 => text.Insert(_random.Next(text.Length + 1), text.Substring(at, length)),
            _ => string.Concat(text.AsSpan(0, at), ((char)_random.Next(1, 0x250)).ToString(), text.AsSpan(Math.Min(text.Length, at + 1))),
        };
    }
}
