using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>How a body ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>Runs statements. One per rendering.</summary>
internal sealed class StatementRunner
{
    private readonly RenderContext _context;
    private readonly ExpressionEvaluator _expressions;
    private readonly LoopRunner _loops;
    private readonly MacroBinder _macros;

    public StatementRunner(RenderContext context)
    {
        _context = context;
        _expressions = new ExpressionEvaluator(context);
        _loops = new LoopRunner(context, _expressions, this);
        _macros = new MacroBinder(context, _expressions, this);
    }

    public Flow Run(IReadOnlyList<Statement> body, Scope scope, Output output)
    {
        foreach (var statement in body)
        {
            _context.Budget.Step();
            var flow = Run(statement, scope, output);
            if (flow != Flow.Next) return flow;
        }
        return Flow.Next;
    }

    /// <summary>The text of a body with variables of its own.</summary>
    public Text Capture(IReadOnlyList<Statement> body, Scope scope)
    {
        var output = new Output(_context);
        Run(body, new Scope(scope), output);
        return output.ToText();
    }

    public void Assign(Target target, Value value, Scope scope)
    {
        switch (target)
        {
            case Target.Variable variable:
                scope.Set(variable.Name, value);
                break;
            case Target.Member member:
                AssignMember(member, value, scope);
                break;
            case Target.Tuple tuple:
                var items = _context.ToList(value);
                if (items.Count != tuple.Items.Count)
                    throw TemplateException.Type($"{items.Count} values cannot be given to {tuple.Items.Count} names");
                for (int i = 0; i < items.Count; i++) Assign(tuple.Items[i], items[i], scope);
                break;
        }
    }

    private static void AssignMember(Target.Member member, Value value, Scope scope)
    {
        if (scope.Get(member.Namespace) is not Namespace space)
            throw TemplateException.Type($"'{member.Namespace}' is no namespace; only members of namespaces can be set");
        if (member.Name.StartsWith('_')) throw new TemplateException(TemplateFault.Security, $"'{member.Name}' is private");
        space.Members[member.Name] = value;
    }

    private Flow Run(Statement statement, Scope scope, Output output)
    {
        switch (statement)
        {
            case Statement.Data data:
                output.Write(Text.Own(data.Text));
                return Flow.Next;
            case Statement.Output print:
                output.Write(_context.Printer.Print(_expressions.Evaluate(print.Value, scope)));
                return Flow.Next;
            case Statement.If choice:
                return RunIf(choice, scope, output);
            case Statement.For loop:
                _loops.Run(loop, scope, output);
                return Flow.Next;
            case Statement.Break:
                return Flow.Break;
            case Statement.Continue:
                return Flow.Continue;
            case Statement.With with:
                return RunWith(with, scope, output);
            default:
                RunDefinition(statement, scope, output);
                return Flow.Next;
        }
    }

    private void RunDefinition(Statement statement, Scope scope, Output output)
    {
        switch (statement)
        {
            case Statement.Set set:
                Assign(set.Target, _expressions.Evaluate(set.Value, scope), scope);
                break;
            case Statement.SetBlock set:
                var text = Capture(set.Body, scope);
                Assign(set.Target, set.Filter is null ? text : _expressions.EvaluateFilters(set.Filter, text, scope), scope);
                break;
            case Statement.FilterBlock filter:
                output.Write(_context.Printer.Print(_expressions.EvaluateFilters(filter.Filter, Capture(filter.Body, scope), scope)));
                break;
            case Statement.Macro macro:
                scope.Set(macro.Definition.Name, _macros.Bind(macro.Definition, scope));
                break;
            case Statement.CallBlock call:
                output.Write(_context.Printer.Print(_expressions.EvaluateCall(call.Call, scope, _macros.Bind(call.Caller, scope))));
                break;
        }
    }

    private Flow RunIf(Statement.If choice, Scope scope, Output output)
    {
        foreach (var (condition, body) in choice.Branches)
            if (_expressions.Evaluate(condition, scope).IsTrue) return Run(body, scope, output);
        return Run(choice.Otherwise, scope, output);
    }

    private Flow RunWith(Statement.With with, Scope scope, Output output)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in with.Assignments) Assign(target, _expressions.Evaluate(value, scope), inner);
        return Run(with.Body, inner, output);
    }
}

/// <summary>Runs <c>for</c>.</summary>
internal sealed class LoopRunner(RenderContext context, ExpressionEvaluator expressions, StatementRunner statements)
{
    public void Run(Statement.For loop, Scope scope, Output output) =>
        Run(loop, expressions.Evaluate(loop.Items, scope), scope, output, depth: 1);

    private void Run(Statement.For loop, Value source, Scope scope, Output output, int depth)
    {
        context.Budget.Enter();
        var items = Items(loop, source, scope);
        var state = new Loop(items, depth, loop.IsRecursive ? inner => Recurse(loop, inner, scope, depth) : null);
        bool completed = false;
        for (; state.Index < items.Count; state.Index++)
        {
            context.Budget.Step();
            var inner = new Scope(scope);
            inner.Set("loop", state);
            statements.Assign(loop.Target, items[state.Index], inner);
            var flow = statements.Run(loop.Body, inner, output);
            completed |= flow == Flow.Next;
            if (flow == Flow.Break) break;
        }
        // As in Jinja, 'else' also runs when every round was left by 'break' or 'continue'.
        if (!completed) statements.Run(loop.Otherwise, new Scope(scope), output);
        context.Budget.Leave();
    }

    /// <summary>The condition is asked before the loop begins, so that <c>loop.length</c> counts only what passes.</summary>
    private List<Value> Items(Statement.For loop, Value source, Scope scope)
    {
        if (loop.Condition is null) return context.ToList(source);
        var items = new List<Value>();
        foreach (var item in context.Iterate(source))
        {
            var inner = new Scope(scope);
            statements.Assign(loop.Target, item, inner);
            if (expressions.Evaluate(loop.Condition, inner).IsTrue) items.Add(item);
        }
        return items;
    }

    private Text Recurse(Statement.For loop, Value items, Scope scope, int depth)
    {
        var output = new Output(context);
        Run(loop, items, scope, output, depth + 1);
        return output.ToText();
    }
}
