"""General-ability tasks (Gu et al., 2024, "Model Editing Harms General Abilities of Large Language Models").

task        `resources/tasks/<task>.yaml`: prompt, generation limit, stop rule, parser, metric
readers     the original files of the eight data sets -> items (`reading`: records and their checks, `conll`: columns)
items       all or some of a task's items, drawn by seed -> the items table
prompts     items -> prompts that fit the model's positions
parsers     what was generated -> an answer; metrics: answers -> scores
upstream    parsers and metrics of the published scripts, with their faults
asking      items through a backbone, edited or not -> the verdicts table
worked      items with their right answers, to train small backbones on
scores      verdicts -> scores with intervals, and their differences between two models
"""
