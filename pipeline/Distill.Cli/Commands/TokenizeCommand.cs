using System.CommandLine;
using System.Text.Json;
using Distill.Cli.Models;
using Distill.Cli.Tokens;
using Distill.Pipeline.Models;
using Distill.Tokenization;

namespace Distill.Cli.Commands;

/// <summary><c>distill tokenize</c>: what a model reads of a text.</summary>
internal sealed class TokenizeCommand : DistillCommand
{
    private readonly Argument<string> model =
        new("MODEL") { Description = "Folder with a tokenizer.json: a model, a checkpoint, or a tokenizer alone." };

    private readonly Argument<string?> file = new("FILE")
    {
        Description = "What to read (UTF-8), to the last line end; standard input where it is left out or '-'.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> text = new("--text") { HelpName = "TEXT", Description = "Read this instead of a file." };
    private readonly Option<bool> lines = new("--lines") { Description = "Every line is a text of its own." };

    private readonly Option<bool> decode =
        new("--decode") { Description = "The other way: ids (separated by blanks or commas, or a JSON array) to text." };

    private readonly Option<bool> template = new("--template")
    {
        Description = "Read a chat and show the prompt: JSON ([{role, content}, ...] or {messages: [...], ...} with the template's other "
            + "variables), or plain text as a message of the user.",
    };

    private readonly Option<bool> noGeneration =
        new("--no-generation-prompt") { Description = "With --template: leave out what makes the assistant speak." };

    private readonly Option<bool> special = new("--special")
        { Description = "Control tokens spelled in the text become those tokens, as transformers does; without it they are text." };

    private readonly Option<bool> bare =
        new("--bare") { Description = "Leave out what the tokenizer puts around a text, such as a token that begins it." };

    public TokenizeCommand()
        : base("tokenize", "Shows what a model reads: ids, pieces and the text of each, the rendered prompt of a chat, or the text of ids.")
    {
        Arguments.Add(model);
        Arguments.Add(file);
        foreach (var option in (Option[])[text, lines, decode, template, noGeneration, special, bare]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill tokenize teacher/models/tiny-reasoner --text 'What is (3 + 4) * 2?'",
        "distill tokenize teacher/models/tiny-reasoner --text 'What is (3 + 4) * 2?' --template",
        "echo '[12, 7, 9]' | distill tokenize teacher/models/tiny-reasoner --decode",
        "distill tokenize teacher/models/tiny-reasoner notes.txt --lines --json",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string folder = HubAccess.Locate(parsed.GetRequiredValue(model), context, PulledModel.Tokenizer);
        ModelFolders.RequireTokenizer(folder);
        RequireSense(parsed);
        string given = parsed.GetValue(text) ?? TextInput.Read(parsed.GetValue(file), context);
        string[] texts = parsed.GetValue(lines) ? TextInput.Lines(given) : [given];
        var show = new TokenizeOutput(context);
        if (parsed.GetValue(template))
        {
            var encoder = ChatEncoder.Load(folder);
            bool speaks = !parsed.GetValue(noGeneration);
            foreach (string chat in texts) show.Prompt(encoder, WithGeneration(ChatInput.Parse(chat), speaks));
            return ExitCode.Done;
        }

        var tokenizer = Tokenizer.Load(folder);
        foreach (string one in texts)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (parsed.GetValue(decode)) show.Text(tokenizer, IdList.Parse(one));
            else show.Tokens(tokenizer, one, Encode(tokenizer, one, parsed));
        }

        return ExitCode.Done;
    }

    private int[] Encode(Tokenizer tokenizer, string one, ParseResult parsed) => parsed.GetValue(bare)
        ? tokenizer.Encode(one, parsed.GetValue(special)) : tokenizer.EncodeWhole(one, parsed.GetValue(special));

    private void RequireSense(ParseResult parsed)
    {
        if (parsed.GetValue(text) is not null && parsed.GetValue(file) is not null)
            throw new UsageException("--text and FILE exclude each other.", "Keep one of them.");
        if (parsed.GetValue(decode) && parsed.GetValue(template))
            throw new UsageException("--decode and --template exclude each other.", "Keep one of them.");
        var idle = (parsed.GetValue(decode) || parsed.GetValue(template)
            ? new[] { special, bare } : []).Append(parsed.GetValue(template) ? null : noGeneration);
        if (idle.FirstOrDefault(option => option is not null && parsed.GetValue(option)) is { } useless)
            throw new UsageException($"{useless.Name} does nothing here.", "'distill tokenize --help' says what it belongs to.");
    }

    private static IReadOnlyDictionary<string, JsonElement> WithGeneration(
        IReadOnlyDictionary<string, JsonElement> chat, bool generation) =>
        chat.ContainsKey(ChatInput.GenerationPrompt) ? chat
        : new Dictionary<string, JsonElement>(chat) { [ChatInput.GenerationPrompt] = JsonSerializer.SerializeToElement(generation) };
}
