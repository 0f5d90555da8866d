using System.Globalization;
using System.Text;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

/// <summary>
/// Draws are a contract: splits, committed models and reported scores hang on them. When a test here fails, the change that made it
/// fail is wrong, not the pinned value: models would be tested on what they were trained on.
/// </summary>
public sealed class GoldenProblemTests
{
    /// <summary>
    /// In words: the first problem of every family, level and split, with its twins, exactly as a problem file holds them, and the first
    /// facts of every family.
    /// </summary>
    [Theory]
    [InlineData("arithmetic")]
    [InlineData("words")]
    [InlineData("countdown")]
    [InlineData("knights")]
    [InlineData("contradiction")]
    [InlineData("zebra")]
    [InlineData("syllogisms")]
    [InlineData("units")]
    [InlineData("calendar")]
    [InlineData("sequences")]
    [InlineData("consistency")]
    public void The_first_problems_never_change(string family)
    {
        using var stream = new MemoryStream();
        var firsts = Enumerable.Range(1, 3).SelectMany(level => FamilySamples.Of(family, level))
            .Where(sample => sample.Problem.Id.EndsWith("/000000"));
        ProblemFile.Write(stream, firsts.SelectMany(sample => sample.Twins.Select(twin => twin.Problem).Prepend(sample.Problem)));
        var facts = Enumerable.Range(0, 8).Select(index => ProblemFamilies.Get(family).Fact(FamilySamples.Seed, index));

        var now = Encoding.UTF8.GetString(stream.ToArray()) + string.Join('\n', facts) + "\n";

        now.ShouldBe(Pinned(family));
    }

    /// <summary>In digests: many problems, their twins, and facts.</summary>
    [Theory]
    [InlineData("arithmetic", 1, "331ee162eb0bc5b3", "ac9147e3d6b0658c")]
    [InlineData("arithmetic", 2, "90ec9c2410751ba0", "b125cbb68bf35bea")]
    [InlineData("arithmetic", 3, "0cecf1e952dd5da5", "5f45f268fa63f527")]
    [InlineData("words", 1, "8c7fb3ba07e45a5d", "5e71d09ecc8f7b7f")]
    [InlineData("words", 2, "aa80ffaf5500a1c2", "8ea15dc9cea10691")]
    [InlineData("words", 3, "a266ffc25fbce239", "937ca9802e6e1f56")]
    [InlineData("countdown", 1, "2ffd37f130d0dec2", "79f4bd5da047692e")]
    [InlineData("countdown", 2, "5e35eb768ff3563d", "095d1ba352513875")]
    [InlineData("countdown", 3, "d45a481fc965d434", "ded58a3068e66257")]
    [InlineData("knights", 1, "116ad0501d01b53a", "223ac615e4d4b8f3")]
    [InlineData("knights", 2, "835cd7d18d94d188", "5a8c3265f54c7971")]
    [InlineData("knights", 3, "eb5db3a466e14666", "4444ccbc0adb8713")]
    [InlineData("contradiction", 1, "0d8faf9088cf6dad", "5334f6446e4bc88c")]
    [InlineData("contradiction", 2, "14dc4fa613bd1058", "4397c271556139a0")]
    [InlineData("contradiction", 3, "0423cbeb53ee8af6", "817be16eeac27ab7")]
    [InlineData("zebra", 1, "8235e8f72a8dc01c", "00a051a83961d4c6")]
    [InlineData("zebra", 2, "007fc8b157b8c0ff", "55a1f4624baaaee3")]
    [InlineData("zebra", 3, "2256e0e0372d93bd", "523725cc5c4faa9e")]
    [InlineData("syllogisms", 1, "ce4994a2939dd993", "d7fff8387c9f9891")]
    [InlineData("syllogisms", 2, "262b0a062d8aa3bd", "1d9015ba1d6d8fc0")]
    [InlineData("syllogisms", 3, "0bc0b83555535c3b", "622747a36dd4ec6c")]
    [InlineData("units", 1, "d710a309ff561886", "a54b64603738f8e9")]
    [InlineData("units", 2, "3ea9c5f4a6b533a3", "09b2ec50b7c1def0")]
    [InlineData("units", 3, "7511a6294160ea7f", "846007aa62abfde0")]
    [InlineData("calendar", 1, "cf3eac44756126b5", "51315922a603b82d")]
    [InlineData("calendar", 2, "7a051dfc546f5061", "23c2ab4b3c74c066")]
    [InlineData("calendar", 3, "d5bd90687e693f0d", "e0e4c3f7b6f84206")]
    [InlineData("sequences", 1, "48bf478fb84d41ce", "105824785a4691e8")]
    [InlineData("sequences", 2, "1c2dde06ae4467cb", "892b2bca148cad32")]
    [InlineData("sequences", 3, "7488f4c5eb8dcd73", "19eef2c14c99c299")]
    [InlineData("consistency", 1, "0bd925ba203130cf", "1d721d63e6b9b657")]
    [InlineData("consistency", 2, "acb8c0c1a9251b38", "13a662061b7412d3")]
    [InlineData("consistency", 3, "cd72ebf403e811fa", "b0511754199fefba")]
    public void Many_problems_never_change(string family, int level, string problems, string twins)
    {
        var samples = FamilySamples.Of(family, level);

        Digest(samples.Select(sample => Spell(sample.Problem))).ShouldBe(problems);
        Digest(samples.SelectMany(sample => sample.Twins)
            .Select(twin => $"Twin {{ Kind = {twin.Kind}, Problem = {Spell(twin.Problem)} }}")).ShouldBe(twins);
    }

    [Theory]
    [InlineData("arithmetic", "6c849d59d70730aa")]
    [InlineData("words", "6a9aa7543070f8cd")]
    [InlineData("countdown", "c3dc908f442c57ac")]
    [InlineData("knights", "738f0106fb7f0788")]
    [InlineData("contradiction", "74fb695cb48bb13b")]
    [InlineData("zebra", "45c7ae1e88791347")]
    [InlineData("syllogisms", "0ef1da1e61d287ca")]
    [InlineData("units", "91671d5787113260")]
    [InlineData("calendar", "787f9796ed38d452")]
    [InlineData("sequences", "4d6e3aceb9ee5e86")]
    [InlineData("consistency", "fc7c62aadbd99aec")]
    public void Many_facts_never_change(string family, string facts) =>
        Digest(Enumerable.Range(0, 500).Select(index => ProblemFamilies.Get(family).Fact(FamilySamples.Seed, index))).ShouldBe(facts);

    [Fact]
    public void Every_family_is_pinned() => ProblemFamilies.All.ShouldAllBe(family => Pinned(family.Name).Length > 0);

    // Spelled out here, so that the digests hold whatever a problem gains.
    private static string Spell(Problem problem) =>
        $"Problem {{ Id = {problem.Id}, Family = {problem.Source}, Domain = {problem.Domain}, Split = {problem.Split}, "
        + $"Level = {problem.Level}, Text = {problem.Text}, ReferenceAnswer = {problem.ReferenceAnswer}, "
        + $"ReferenceSolution = {problem.ReferenceSolution}, Signature = {problem.Signature} }}";

    private static string Digest(IEnumerable<string> lines) =>
        StableHash.Of(string.Join('\n', lines)).ToString("x16", CultureInfo.InvariantCulture);

    private static string Pinned(string family)
    {
        using var stream = typeof(GoldenProblemTests).Assembly.GetManifestResourceStream($"golden/{family}.txt")
            ?? throw new InvalidOperationException($"No problems of '{family}' are pinned.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
