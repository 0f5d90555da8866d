using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Which ids end a reply, and what still works where a model names none, or has no template.</summary>
public sealed class EndTokenTests
{
    [Theory]
    [InlineData(null, null, new[] { 1 })]
    [InlineData(null, """{"eos_token_id": 4}""", new[] { 1, 4 })]
    [InlineData("""{"eos_token_id": 3}""", """{"eos_token_id": 4}""", new[] { 1, 3 })]
    [InlineData("""{"eos_token_id": [4, 1, 3, 4]}""", null, new[] { 1, 4, 3 })]
    [InlineData("""{"eos_token_id": null}""", """{"eos_token_id": [2]}""", new[] { 1, 2 })]
    [InlineData("""{"temperature": 1}""", """{"eos_token_id": []}""", new[] { 1 })]
    public void The_own_end_token_comes_first_then_those_of_the_configuration(string? generation, string? model, int[] expected)
    {
        using var folder = Folder(generation, model);
        var encoder = ChatEncoder.Load(folder.Path);
        encoder.EndTokens.ShouldBe(expected);
        encoder.EndToken.ShouldBe(1);
    }

    [Fact]
    public void Without_an_end_token_of_the_tokenizer_the_configuration_s_first_one_ends_a_reply()
    {
        using var folder = Folder("""{"eos_token_id": [4, 3]}""", null);
        folder.File("tokenizer_config.json", "{}");
        var encoder = ChatEncoder.Load(folder.Path);
        encoder.EndTokens.ShouldBe([4, 3]);
        encoder.EncodeExample([ChatMessage.User("?")], "2").Tokens[^1].ShouldBe(4);
    }

    [Theory]
    [InlineData("""{"eos_token_id": "x"}""", "whole number")]
    [InlineData("""{"eos_token_id": [1, -1]}""", "must be 0 to")]
    [InlineData("[]", "object")]
    [InlineData("{", "JSON")]
    public void A_configuration_that_cannot_be_used_is_named(string generation, string reason)
    {
        using var folder = Folder(generation, null);
        var refusal = Should.Throw<InvalidDataException>(() => ChatEncoder.Load(folder.Path));
        refusal.Message.ShouldContain("generation_config.json");
        refusal.Message.ShouldContain(reason);
    }

    [Fact]
    public void Plain_text_needs_neither_template_nor_end_token()
    {
        using var folder = Bare();
        var encoder = ChatEncoder.Load(folder.Path);
        encoder.Tokenizer.Encode("12 apples").ShouldBe(TinyTokenizer.Tokenizer.Encode("12 apples"));
        encoder.HasTemplate.ShouldBeFalse();
        encoder.EndTokens.ShouldBeEmpty();
    }

    [Fact]
    public void What_needs_a_template_or_an_end_token_names_the_files_that_could_hold_them()
    {
        using var folder = Bare();
        var encoder = ChatEncoder.Load(folder.Path);
        Action[] uses =
        [
            () => encoder.EncodePrompt([ChatMessage.User("?")]),
            () => encoder.Render(new Dictionary<string, JsonElement>()),
            () => encoder.RequireChat(),
        ];
        foreach (var use in uses)
            Should.Throw<InvalidDataException>(use).Message.ShouldSatisfyAllConditions(
                m => m.ShouldContain(folder.Path), m => m.ShouldContain("chat_template.jinja"));
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"), TinyTokenizer.Options.ChatTemplate);
        var spoken = ChatEncoder.Load(folder.Path);
        spoken.EncodePrompt([ChatMessage.User("?")]).ShouldBe(TinyTokenizer.Encoder.EncodePrompt([ChatMessage.User("?")]));
        Should.Throw<InvalidDataException>(() => spoken.EncodeExample([ChatMessage.User("?")], "2")).Message.ShouldSatisfyAllConditions(
            m => m.ShouldContain(folder.Path), m => m.ShouldContain("'eos_token'"), m => m.ShouldContain("generation_config.json"));
    }

    [Theory]
    [InlineData("{% if %}")]
    [InlineData("{% include 'x' %}")]
    public void A_template_that_cannot_be_interpreted_is_a_fault_only_where_one_is_needed(string template)
    {
        using var folder = TinyTokenizer.Folder();
        folder.File("chat_template.jinja", template);
        var encoder = ChatEncoder.Load(folder.Path);
        encoder.Tokenizer.Encode("12 apples").ShouldBe(TinyTokenizer.Tokenizer.Encode("12 apples"));
        Should.Throw<InvalidDataException>(() => encoder.RequireChat()).Message.ShouldSatisfyAllConditions(
            m => m.ShouldContain(folder.Path), m => m.ShouldContain("cannot be read"));
        Should.Throw<InvalidDataException>(() => encoder.With(PromptStyle.Plain).EncodePrompt([ChatMessage.User("?")]));
    }

    [Fact]
    public void Another_style_keeps_the_end_tokens()
    {
        using var folder = Folder("""{"eos_token_id": [4, 3]}""", null);
        ChatEncoder.Load(folder.Path).With(PromptStyle.Plain with { System = "Think." }).EndTokens.ShouldBe([1, 4, 3]);
    }

    private static TemporaryFolder Folder(string? generation, string? model)
    {
        var folder = TinyTokenizer.Folder();
        if (generation is not null) folder.File("generation_config.json", generation);
        if (model is not null) folder.File("config.json", model);
        return folder;
    }

    /// <summary>A tokenizer.json and nothing else.</summary>
    private static TemporaryFolder Bare()
    {
        var folder = TinyTokenizer.Folder();
        foreach (string file in (string[])["tokenizer_config.json", "chat_template.jinja"]) File.Delete(Path.Combine(folder.Path, file));
        return folder;
    }
}
